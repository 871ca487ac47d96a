/**
 * What sources share in saying how their requests are authenticated. Saying nothing is a mistake: an open source is a
 * decision that stands in the file.
 */
import type { Reader } from "../core/read-object.ts";
import { readBindingName, readList } from "../core/read-object.ts";
import type { SourceContext } from "../core/source.ts";

/** Enough to rotate through; each costs one hash for every request with a wrong signature. */
export const SECRETS_MAX = 5;

const readNames = readList(readBindingName, SECRETS_MAX);

/**
 * Names of secrets, any of which authenticates: two while one is being rotated. No message repeats what was found: it may be
 * a secret in the wrong place.
 */
export const readSecretNames: Reader<readonly string[]> = (value, path, mistakes) => {
  if (Array.isArray(value)) return readNames(value, path, mistakes);
  mistakes.push({ path, message: "expected a list of names of secrets, such as [WEBHOOK_SECRET]" });
  return undefined;
};

/** `auth: none`, where the other choice is another key. */
export const readAuthNone: Reader<"none"> = (value, path, mistakes) => {
  if (value === "none") return value;
  mistakes.push({ path, message: "expected none, the only value that auth takes here" });
  return undefined;
};

/** The values of those secrets that are set in the environment. */
export function setSecrets(names: readonly string[], context: SourceContext): readonly string[] {
  return names.flatMap((name) => {
    const value = context.secret(name);
    return value === undefined || value === "" ? [] : [value];
  });
}
