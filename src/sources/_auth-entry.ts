/**
 * Reads how the requests of a source are authenticated, in what sources share. Saying nothing is a mistake: an open source is a
 * decision that stands in the file.
 */
import { readBindingName, readList } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { withSchema } from "../core/reader-schema.ts";

/** Enough to rotate through; each costs one hash for every request with a wrong signature. */
export const SECRETS_MAX = 5;

const readNames = readList(readBindingName, SECRETS_MAX);

/**
 * Names of secrets, any of which authenticates: two while one is being rotated. No message repeats what was found: it may be
 * a secret in the wrong place.
 */
export const readSecretNames: Reader<readonly string[]> = withSchema(
  (value, path, mistakes) => {
    if (Array.isArray(value)) {
      const names = readNames(value, path, mistakes);
      for (const name of new Set(names)) {
        const [first, again] = [value.indexOf(name), value.lastIndexOf(name)];
        if (again > first) mistakes.push({ path: [...path, again], message: `the secret ${name} is named twice` });
      }
      return names;
    }
    mistakes.push({ path, message: "expected a list of names of secrets, such as [WEBHOOK_SECRET]" });
    return undefined;
  },
  {
    ...readNames.schema,
    description: "Names of the secrets, any of which is right: two while you rotate one. Never their values.",
    examples: [["WEBHOOK_SECRET"]],
  },
);

/** `auth: none`, where the other choice is another key. */
export const readAuthNone: Reader<"none"> = withSchema(
  (value, path, mistakes) => {
    if (value === "none") return value;
    mistakes.push({ path, message: "expected none, the only value that auth takes here" });
    return undefined;
  },
  { enum: ["none"], description: "none: anyone may send." },
);
