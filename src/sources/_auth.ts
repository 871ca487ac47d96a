/**
 * What sources share in saying how their requests are authenticated. Saying nothing is a mistake: an open source is a
 * decision that stands in the file.
 */
import type { Reader } from "../core/read-object.ts";
import { readBindingName, readList } from "../core/read-object.ts";
import type { SourceContext } from "../core/source.ts";

/** Enough to rotate through; each costs one hash for every request with a wrong signature. */
export const SECRETS_MAX = 5;

/** Names of secrets, any of which authenticates: two while one is being rotated. */
export const readSecretNames: Reader<readonly string[]> = readList(readBindingName, SECRETS_MAX);

/** A reader for `auth: none`. The message never repeats what was found: it may be a secret in the wrong place. */
export const readAuthNone: Reader<"none"> = (value, path, mistakes) => {
  if (value === "none") return value;
  mistakes.push({ path, message: "expected none, the only value that auth takes here" });
  return undefined;
};

/** The values of those secrets that are set in the environment. */
export function setSecrets(names: readonly string[], context: SourceContext): readonly string[] {
  return names.map((name) => context.secret(name)).filter((value) => value !== undefined && value !== "");
}
