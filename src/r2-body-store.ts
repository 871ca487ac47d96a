/**
 * The body store on Cloudflare: an R2 bucket by its binding.
 * References: https://developers.cloudflare.com/r2/api/workers/workers-api-reference/ and
 * https://developers.cloudflare.com/r2/objects/multipart-objects/
 */
import type { BodyStore } from "./bus/body-store.ts";

/** The name of the bucket's binding in wrangler.toml. */
export const BODIES_BINDING = "BODIES";

/** Workers API reference, `delete`: keys of one call. `list` answers as many at most. */
const KEYS_PER_CALL_MAX = 1_000;

function openR2BodyStore(bucket: R2Bucket): BodyStore {
  return {
    async put(key, body, contentType) {
      await bucket.put(key, body, metadataOf(contentType));
    },

    async begin(key, contentType) {
      const upload = await bucket.createMultipartUpload(key, metadataOf(contentType));
      const parts: R2UploadedPart[] = [];
      let begun = 0;
      return {
        async part(bytes) {
          begun += 1;
          const part = await upload.uploadPart(begun, bytes);
          parts.push(part);
        },
        async complete() {
          await upload.complete(parts.toSorted((a, b) => a.partNumber - b.partNumber));
        },
        abort: () => upload.abort(),
      };
    },

    async read(key, range) {
      const found = await bucket.get(key, range === undefined ? {} : { range });
      if (found === null) return null;
      return {
        bytes: found.size,
        contentType: found.httpMetadata?.contentType,
        etag: found.httpEtag,
        body: found.body as ReadableStream<Uint8Array>,
      };
    },

    async list(prefix, cursor, limit) {
      const page = await bucket.list({
        prefix,
        limit: Math.min(limit, KEYS_PER_CALL_MAX),
        ...(cursor === undefined ? {} : { cursor }),
      });
      const found = page.objects.map(({ key, uploaded }) => ({ key, uploadedAt: uploaded.getTime() }));
      return { found, cursor: page.truncated ? page.cursor : undefined };
    },

    async remove(keys) {
      for (let at = 0; at < keys.length; at += KEYS_PER_CALL_MAX) {
        await bucket.delete(keys.slice(at, at + KEYS_PER_CALL_MAX));
      }
    },
  };
}

/** The bucket of a Worker's environment, or undefined where there is none: what is bound by that name may be anything. */
export function bodyStoreOf(binding: unknown): BodyStore | undefined {
  const isBucket =
    typeof binding === "object" && binding !== null && "createMultipartUpload" in binding && "head" in binding;
  return isBucket ? openR2BodyStore(binding as R2Bucket) : undefined;
}

function metadataOf(contentType: string | undefined): { readonly httpMetadata?: { readonly contentType: string } } {
  return contentType === undefined ? {} : { httpMetadata: { contentType } };
}
