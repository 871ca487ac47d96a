/** Reads the entry of a bus in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { readMembers, readString } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import { err, ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";

export interface BusConfig {
  readonly bus: string;
}

const READERS = { bus: described(readString, "The bus that gets the event: a folder with rules.") };

function parse(entry: JsonObject): Result<BusConfig, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const read = readMembers(entry, [], READERS, mistakes);
  if (!Object.hasOwn(entry, "bus")) mistakes.push({ path: [], message: "expected the bus's name under bus" });
  if (read.bus === undefined || mistakes.length > 0) return err(mistakes);
  return ok({ bus: read.bus });
}

export default function entry(): TargetEntry<BusConfig> {
  return {
    summary: "Publishes events on another bus of this router.",
    schema: membersSchema(READERS, { required: ["bus"] }),
    parse,
  };
}
