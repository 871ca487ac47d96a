/** Reads the entry of a Feishu target in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { readBindingName } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import { ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import { readEntry, readSwitch } from "./_preset-entry.ts";
import type { PresetConfig } from "./_preset.ts";

export interface FeishuConfig extends PresetConfig {
  readonly url: string;
  readonly sign: string | undefined;
  readonly mentions: boolean;
}

const READERS = {
  feishu: described(readBindingName, "The secret that holds the bot's webhook URL.", {
    examples: ["FEISHU_WEBHOOK_URL"],
  }),
  local: HTTP_READERS.local,
  sign: described(readBindingName, "The secret that holds what the bot signs with.", { examples: ["FEISHU_SECRET"] }),
  mentions: described(readSwitch, 'true: texts may call people: <at user_id="all">. Otherwise it is shown as text.', {
    default: false,
  }),
};

function parse(entry: JsonObject): Result<FeishuConfig, readonly Mistake[]> {
  const read = readEntry(entry, READERS, ["feishu"]);
  if (!read.ok) return read;
  const { feishu, local, sign, mentions = false } = read.value;
  return ok({ url: feishu, local, sign, mentions });
}

export default function entry(): TargetEntry<FeishuConfig> {
  return {
    summary: "Posts messages to a Feishu or Lark group by a custom bot.",
    schema: membersSchema(READERS, { required: ["feishu"] }),
    parse,
  };
}
