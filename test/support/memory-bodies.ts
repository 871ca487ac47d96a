/** A body store in memory, as strict as R2 about the sizes of parts (docs/decisions/0010). */
import type { BodyStore } from "../../src/bus/body-store.ts";

const PART_BYTES_MIN = 5 * 1_024 * 1_024;

export interface MemoryBodies extends BodyStore {
  readonly bodies: Map<string, { readonly bytes: Uint8Array; readonly uploadedAt: number }>;
  /** Uploads that are neither complete nor given up. */
  readonly openUploads: () => number;
  /** What was called, in order. */
  readonly calls: string[];
}

export interface MemoryBodiesOptions {
  readonly now?: () => number;
  /** Called before each call; what it throws, the call throws. */
  readonly before?: (call: string) => void | Promise<void>;
}

export function createMemoryBodies({ now = () => 0, before = () => {} }: MemoryBodiesOptions = {}): MemoryBodies {
  const bodies: MemoryBodies["bodies"] = new Map();
  const calls: string[] = [];
  let open = 0;

  async function called(call: string): Promise<void> {
    calls.push(call);
    await before(call);
  }

  return {
    bodies,
    calls,
    openUploads: () => open,
    async put(key, body) {
      await called("put");
      bodies.set(key, { bytes: body.slice(), uploadedAt: now() });
    },
    async begin(key) {
      await called("begin");
      open += 1;
      const parts: Uint8Array[] = [];
      return {
        async part(bytes) {
          // As they are now: whoever writes to the buffer too early is found out.
          await called(`part ${bytes.length}`);
          parts.push(bytes.slice());
        },
        async complete() {
          await called("complete");
          const sizes = new Set(parts.slice(0, -1).map(({ length }) => length));
          const first = parts[0]?.length ?? 0;
          if (sizes.size > 1 || (parts.length > 1 && first < PART_BYTES_MIN))
            throw new Error("parts of these sizes are refused");
          if ((parts.at(-1)?.length ?? 0) > first) throw new Error("the last part is the largest");
          open -= 1;
          bodies.set(key, { bytes: new Uint8Array(Buffer.concat(parts)), uploadedAt: now() });
        },
        async abort() {
          await called("abort");
          open -= 1;
        },
      };
    },
    async read(key) {
      await called("read");
      const found = bodies.get(key);
      if (found === undefined) return null;
      const { bytes } = found;
      const body = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream() as ReadableStream<Uint8Array>;
      return { bytes: bytes.length, contentType: undefined, etag: '"1"', body };
    },
    async list(prefix, cursor, limit) {
      await called(`list ${prefix}`);
      const keys = [...bodies.keys()].filter((key) => key.startsWith(prefix)).toSorted((a, b) => (a < b ? -1 : 1));
      const rest = keys.filter((key) => cursor === undefined || key > cursor);
      const found = rest.slice(0, limit).map((key) => ({ key, uploadedAt: bodies.get(key)?.uploadedAt ?? 0 }));
      return { found, cursor: rest.length > limit ? found.at(-1)?.key : undefined };
    },
    async remove(keys) {
      await called(`remove ${keys.length}`);
      for (const key of keys) bodies.delete(key);
    },
  };
}
