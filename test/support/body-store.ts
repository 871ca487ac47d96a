/** A body store in memory, whose objects are as old as its clock says. */
import type { BodyStore } from "../../src/bus/body-store.ts";

export interface MemoryBody {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly uploadedAt: number;
}

export interface MemoryBodyStore extends BodyStore {
  readonly objects: Map<string, MemoryBody>;
  /** How many bodies were opened and neither read to their end nor cancelled. */
  readonly openBodies: () => number;
}

export function memoryBodyStore(now: () => number = Date.now): MemoryBodyStore {
  const objects = new Map<string, MemoryBody>();
  let open = 0;
  const put = (key: string, bytes: Uint8Array, contentType: string | undefined) =>
    void objects.set(key, { bytes: Uint8Array.from(bytes), contentType, uploadedAt: now() });
  return {
    objects,
    openBodies: () => open,
    put: async (key, body, contentType) => put(key, body, contentType),
    async begin(key, contentType) {
      let parts: Uint8Array[] = [];
      return {
        part: async (bytes) => void parts.push(Uint8Array.from(bytes)),
        complete: async () => put(key, Buffer.concat(parts), contentType),
        abort: async () => void (parts = []),
      };
    },
    async read(key, range) {
      const found = objects.get(key);
      if (found === undefined) return null;
      const { offset = 0, length = found.bytes.length } = range ?? {};
      if (range !== undefined && offset >= found.bytes.length)
        throw new Error("The requested range is not satisfiable");
      const part = found.bytes.slice(offset, offset + length);
      open += 1;
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (part.length > 0) controller.enqueue(part);
            controller.close();
            open -= 1;
          },
          cancel: () => void (open -= 1),
        },
        { highWaterMark: 0 },
      );
      return { bytes: found.bytes.length, contentType: found.contentType, etag: `"${found.bytes.length}-etag"`, body };
    },
    async list(prefix, cursor, limit) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > (cursor ?? "")).toSorted();
      const page = keys.slice(0, limit);
      const found = page.map((key) => ({ key, uploadedAt: objects.get(key)?.uploadedAt ?? 0 }));
      return { found, cursor: keys.length > limit ? page.at(-1) : undefined };
    },
    remove: async (keys) => keys.forEach((key) => objects.delete(key)),
  };
}
