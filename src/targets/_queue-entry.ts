/** Reads the entry of a queue in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { readBindingName, readMembers } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import { err, ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";

export interface QueueConfig {
  readonly binding: string;
}

const READERS = {
  queue: described(readBindingName, "The binding of a queue's producer in wrangler.toml.", { examples: ["AUDIT"] }),
};

function parse(entry: JsonObject): Result<QueueConfig, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const read = readMembers(entry, [], READERS, mistakes);
  if (!Object.hasOwn(entry, "queue")) mistakes.push({ path: [], message: "expected the queue's binding under queue" });
  if (read.queue === undefined || mistakes.length > 0) return err(mistakes);
  return ok({ binding: read.queue });
}

export default function entry(): TargetEntry<QueueConfig> {
  return {
    summary: "Sends events to a Cloudflare Queue as structured CloudEvents.",
    schema: membersSchema(READERS, { required: ["queue"] }),
    parse,
  };
}
