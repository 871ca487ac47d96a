/** A large body on its way into the body store: in parts, at most two of them in memory. */
import type { BodyStore, BodyUpload } from "../bus/body-store.ts";

/**
 * R2 takes parts of the same size, 5 MiB or more, and a last one that may be smaller (docs/decisions/0010). The smallest one
 * that it takes is what needs the least memory.
 */
export const PART_BYTES = 5_242_880;

export interface LargeUpload {
  /** Resolves when the next chunk may come: what can't be stored as fast as it comes is not read as fast. */
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** Makes the body visible in the store. */
  readonly complete: () => Promise<void>;
  /** Gives up what was stored. */
  readonly abort: () => Promise<void>;
}

/** What fits in one part is stored as a whole, and only by `complete`. */
export function startUpload(store: BodyStore, key: string, contentType: string | undefined): LargeUpload {
  let upload: BodyUpload | undefined;
  let filling = new Uint8Array(PART_BYTES);
  let spare: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  let sending: Promise<void> = Promise.resolve();

  async function send(): Promise<void> {
    upload ??= await store.begin(key, contentType);
    // The part before this one: its buffer is free from here on.
    await sending;
    sending = upload.part(filling);
    // Its failure is met by whoever waits for it next.
    sending.catch(() => undefined);
    [filling, spare] = [spare ?? new Uint8Array(PART_BYTES), filling];
    filled = 0;
  }

  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (filled === PART_BYTES) await send();
        const added = Math.min(chunk.length - at, PART_BYTES - filled);
        filling.set(chunk.subarray(at, at + added), filled);
        filled += added;
        at += added;
      }
    },

    async complete() {
      const last = filling.subarray(0, filled);
      if (upload === undefined) return store.put(key, last, contentType);
      await sending;
      await upload.part(last);
      await upload.complete();
    },

    async abort() {
      await sending.catch(() => undefined);
      await upload?.abort();
    },
  };
}
