/** Reads the entry of a GitHub source in sources.yaml: only the build needs it, a deployed Worker has what it said. */
import { isMisspelt, readMembers, readOneOf } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import { err, ok } from "../core/result.ts";
import type { Mistake } from "../core/result.ts";
import type { SourceEntry } from "../core/source.ts";
import { readAuthNone, readSecretNames } from "./_auth-entry.ts";

export type GithubConfig =
  | { readonly auth: "none" }
  | { readonly auth: "signature"; readonly secretNames: readonly string[]; readonly replays: Replays };

/** What the same signed payload under a new id means; `ignore` doesn't look. */
const REPLAYS = ["flag", "refuse", "ignore"] as const;

type Replays = (typeof REPLAYS)[number];

const READERS = {
  secrets: readSecretNames,
  auth: readAuthNone,
  replays: described(
    readOneOf(REPLAYS),
    "The same signed payload under a new id: flag accepts and marks it, refuse answers 409, ignore doesn't look.",
    { default: "flag" },
  ),
};

export default function entry(): SourceEntry<GithubConfig> {
  return {
    summary: "Webhooks of GitHub, signed with a secret",
    schema: membersSchema(READERS, {
      oneOf: [{ required: ["secrets"] }, { required: ["auth"] }],
      dependencies: { replays: ["secrets"] },
    }),

    parse(entry) {
      const mistakes: Mistake[] = [];
      const { secrets, auth, replays } = readMembers(entry, [], READERS, mistakes);
      const [hasSecrets, hasAuth] = [Object.hasOwn(entry, "secrets"), Object.hasOwn(entry, "auth")];
      const isSlip = ["secrets", "auth"].some((name) => isMisspelt(name, entry, Object.keys(READERS)));
      if (!hasSecrets && !hasAuth && !isSlip) {
        mistakes.push({ path: [], message: "expected secrets: [NAME, …] or auth: none, found neither" });
      }
      if (hasSecrets && hasAuth) {
        mistakes.push({ path: ["auth"], at: "key", message: "expected secrets or auth: none, found both" });
      }
      if (hasAuth && !hasSecrets && Object.hasOwn(entry, "replays")) {
        const message = "replays are told by what is signed, and with auth: none nothing is; leave it out";
        mistakes.push({ path: ["replays"], at: "key", message });
      }
      if (mistakes.length > 0) return err(mistakes);
      if (secrets !== undefined) return ok({ auth: "signature", secretNames: secrets, replays: replays ?? "flag" });
      return auth === undefined ? err(mistakes) : ok({ auth });
    },
  };
}
