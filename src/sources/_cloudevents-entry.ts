/** Reads the entry of a source of CloudEvents in sources.yaml: only the build needs it, a deployed Worker has what it said. */
import { isMisspelt, readMembers } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { membersSchema, withSchema } from "../core/reader-schema.ts";
import { err, isJsonObject, ok } from "../core/result.ts";
import type { Mistake } from "../core/result.ts";
import type { SourceEntry } from "../core/source.ts";
import { readSecretNames } from "./_auth-entry.ts";

export type CloudEventsConfig =
  | { readonly auth: "none" }
  | { readonly auth: "bearer"; readonly secretNames: readonly string[] };

const AUTH_READERS = { bearer: readSecretNames };

const readAuth: Reader<CloudEventsConfig> = withSchema(
  (value, path, mistakes) => {
    if (value === "none") return { auth: "none" };
    if (!isJsonObject(value)) {
      // Never repeats what was found: it may be a token in the wrong place.
      mistakes.push({ path, message: "expected none or { bearer: [NAME, …] }" });
      return undefined;
    }
    const { bearer } = readMembers(value, path, AUTH_READERS, mistakes);
    const isSlip = isMisspelt("bearer", value, Object.keys(AUTH_READERS));
    if (!Object.hasOwn(value, "bearer") && !isSlip)
      mistakes.push({ path, message: "expected bearer: [NAME, …], found nothing" });
    return bearer === undefined ? undefined : { auth: "bearer", secretNames: bearer };
  },
  {
    description: "Who may send: { bearer: [INGEST_TOKEN] } asks for a token, none lets anyone.",
    anyOf: [membersSchema(AUTH_READERS, { required: ["bearer"] }), { enum: ["none"] }],
  },
);

const READERS = { auth: readAuth };

export default function entry(): SourceEntry<CloudEventsConfig> {
  return {
    summary: "CloudEvents 1.0 over HTTP: binary, structured or batched, with a bearer token",
    schema: membersSchema(READERS, { required: ["auth"] }),

    parse(entry) {
      const mistakes: Mistake[] = [];
      const { auth } = readMembers(entry, [], READERS, mistakes);
      if (!Object.hasOwn(entry, "auth") && !isMisspelt("auth", entry, Object.keys(READERS))) {
        mistakes.push({ path: [], message: "expected auth: { bearer: [NAME, …] } or auth: none, found neither" });
      }
      return auth === undefined || mistakes.length > 0 ? err(mistakes) : ok(auth);
    },
  };
}
