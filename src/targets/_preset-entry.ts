/** Reading the entries of vendors' targets. */
import { describe, isMisspelt, readMembers } from "../core/read-object.ts";
import type { ReadMembers, Reader, Readers } from "../core/read-object.ts";
import { withSchema } from "../core/reader-schema.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import { err, ok, ownMember } from "../core/result.ts";

/** `true` or `false`. */
export const readSwitch: Reader<boolean> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "boolean") return value;
    mistakes.push({ path, message: `expected true or false, found ${describe(value)}` });
    return undefined;
  },
  { type: "boolean" },
);

/** A text of at most so many characters on one line. */
export function readLine(charsMax: number): Reader<string> {
  return withSchema(
    (value, path, mistakes) => {
      if (typeof value === "string" && /^[^\p{Cc}]+$/u.test(value) && value.length <= charsMax) return value;
      mistakes.push({ path, message: `expected one line of 1 to ${charsMax} characters, found ${describe(value)}` });
      return undefined;
    },
    { type: "string", minLength: 1, maxLength: charsMax },
  );
}

/** What was read of an entry, with the members that it must have. */
export type EntryOf<Members extends Readers, Name extends keyof Members> = ReadMembers<Members> &
  Required<Pick<ReadMembers<Members>, Name>>;

/** Reads an entry: `required` members must be there, and each is named when it is not. */
export function readEntry<Members extends Readers, Name extends keyof Members & string>(
  entry: JsonObject,
  readers: Members,
  required: readonly Name[],
): Result<EntryOf<Members, Name>, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const read = readMembers(entry, [], readers, mistakes);
  const names = Object.keys(readers);
  for (const name of required) {
    if (Object.hasOwn(entry, name) || isMisspelt(name, entry, names)) continue;
    mistakes.push({ path: [], message: `expected the key ${name}: ${describedAs(readers[name]) ?? "it is required"}` });
  }
  // Each required member was read, or there is a mistake about it.
  return mistakes.length > 0 ? err(mistakes) : ok(read as EntryOf<Members, Name>);
}

function describedAs(reader: Readers[string] | undefined): string | undefined {
  const description = reader?.schema === undefined ? undefined : ownMember(reader.schema, "description");
  return typeof description === "string" ? description.replace(/\.$/, "") : undefined;
}
