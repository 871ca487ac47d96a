/** Compressed request bodies, where a target asks for them. Signatures are over what is in the bytes, not over these. */
import type { HttpRequest } from "./_http-request.ts";

/** Smaller bodies are sent as they are: the format alone takes 18 bytes, and a packet holds them either way. */
export const COMPRESS_BYTES_MIN = 1_024;

/** RFC 1952, one member. */
export async function gzipped(bytes: Uint8Array): Promise<Uint8Array> {
  // Events never hold shared memory, which is all that this type excludes.
  const plain = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  return new Uint8Array(await new Response(plain.pipeThrough(new CompressionStream("gzip"))).arrayBuffer());
}

/** The request with the body that its headers promise. */
export async function compressed(request: HttpRequest): Promise<HttpRequest> {
  if (request.headers["content-encoding"] !== "gzip") return request;
  return { ...request, body: await gzipped(request.body) };
}
