/**
 * Deflate (RFC 1951) of the runtime, at once: `node:zlib` is native in workerd (with `nodejs_compat`) and in Node.
 * `CompressionStream` takes its time, and a partition's transaction can't wait.
 */
import { once } from "../core/once.ts";

export interface Deflating {
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  readonly inflate: (bytes: Uint8Array, plainBytes: number) => Uint8Array;
}

/** Not imported: an isolate would load it before its first answer. */
const zlib = once(() => process.getBuiltinModule("node:zlib"));

export const deflating: Deflating = {
  deflate: (bytes) => new Uint8Array(zlib().deflateRawSync(bytes)),
  inflate: (bytes, plainBytes) => new Uint8Array(zlib().inflateRawSync(bytes, { maxOutputLength: plainBytes })),
};
