/** Reads the entry of a DingTalk target in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { readBindingName } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import { ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import { readEntry } from "./_preset-entry.ts";
import type { PresetConfig } from "./_preset.ts";

export interface DingtalkConfig extends PresetConfig {
  readonly url: string;
  readonly sign: string | undefined;
}

const READERS = {
  dingtalk: described(readBindingName, "The secret that holds the robot's webhook URL.", {
    examples: ["DINGTALK_WEBHOOK_URL"],
  }),
  local: HTTP_READERS.local,
  sign: described(readBindingName, "The secret that holds what the robot signs with (SEC…).", {
    examples: ["DINGTALK_SECRET"],
  }),
};

function parse(entry: JsonObject): Result<DingtalkConfig, readonly Mistake[]> {
  const read = readEntry(entry, READERS, ["dingtalk"]);
  if (!read.ok) return read;
  const { dingtalk, local, sign } = read.value;
  return ok({ url: dingtalk, local, sign });
}

export default function entry(): TargetEntry<DingtalkConfig> {
  return {
    summary: "Posts messages to a DingTalk group by a custom robot.",
    schema: membersSchema(READERS, { required: ["dingtalk"] }),
    parse,
  };
}
