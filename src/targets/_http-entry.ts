/** Reads the entry of an HTTP target in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { readMembers, readOneOf } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import { err, ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { readHandshake } from "./_handshake-entry.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import type { HttpConfig } from "./_http-request.ts";
import { readTargetAuth } from "./_target-auth-entry.ts";
import { readTargetUrl } from "./_url-entry.ts";

const READERS = {
  http: described(readTargetUrl, "The endpoint's URL, https; plain http is for this machine only."),
  ...HTTP_READERS,
  auth: described(readTargetAuth, "Who sends: { bearer: SECRET_NAME }, { basic: … } or { oauth2: … }."),
  compress: described(
    readOneOf(["gzip"]),
    "gzip: bodies of 1 KiB and more are sent compressed. Signatures are over the body before that.",
  ),
  handshake: described(
    readHandshake,
    "Ask the endpoint for permission first (CloudEvents webhooks), in the name of this host: events.example.com, or { origin, rate }.",
  ),
};

function parse(entry: JsonObject): Result<HttpConfig, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const read = readMembers(entry, [], READERS, mistakes);
  if (!Object.hasOwn(entry, "http")) mistakes.push({ path: [], message: "expected the target's URL under http" });
  if (read.auth !== undefined && read.headers?.some(({ name }) => name === "authorization")) {
    mistakes.push({ path: ["auth"], at: "key", message: "expected auth or the header Authorization, found both" });
  }
  if (read.http === undefined || mistakes.length > 0) return err(mistakes);
  return ok({
    target: read.http,
    local: read.local,
    format: read.format ?? "binary",
    headers: read.headers ?? [],
    signingSecrets: read.sign ?? [],
    auth: read.auth,
    compress: read.compress,
    handshake: read.handshake,
  });
}

export default function entry(): TargetEntry<HttpConfig> {
  return {
    summary: "POSTs events to an HTTP endpoint as CloudEvents or as the original webhook.",
    schema: membersSchema(READERS, { required: ["http"] }),
    parse,
  };
}
