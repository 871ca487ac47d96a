/** Reads the entry of a Slack target in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { readBindingName } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import { ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import { readEntry, readLine, readSwitch } from "./_preset-entry.ts";
import type { PresetConfig } from "./_preset.ts";

export interface SlackConfig extends PresetConfig {
  readonly url: string;
  readonly mentions: boolean;
  /** What each message has unless its payload says otherwise. */
  readonly members: JsonObject;
}

const READERS = {
  slack: described(readBindingName, "The secret that holds the URL of an incoming webhook.", {
    examples: ["SLACK_WEBHOOK_URL"],
  }),
  local: HTTP_READERS.local,
  channel: described(readLine(100), "Another channel, for webhooks of the old kind only: #builds. Others ignore it."),
  username: described(readLine(80), "The name that it posts by, for webhooks of the old kind only."),
  icon: described(readLine(100), "The emoji that it posts by, for webhooks of the old kind only: :ship:."),
  thread: described(readLine(50), 'The thread to answer in: the ts of its first message, "1700000000.123456".'),
  mentions: described(
    readSwitch,
    "true: texts may call people and channels. Otherwise <!channel> and the like are shown as text.",
    {
      default: false,
    },
  ),
};

function parse(entry: JsonObject): Result<SlackConfig, readonly Mistake[]> {
  const read = readEntry(entry, READERS, ["slack"]);
  if (!read.ok) return read;
  const { slack, local, channel, username, icon, thread, mentions = false } = read.value;
  const members = {
    ...(channel === undefined ? {} : { channel }),
    ...(username === undefined ? {} : { username }),
    ...(icon === undefined ? {} : { icon_emoji: icon }),
    ...(thread === undefined ? {} : { thread_ts: thread }),
  };
  return ok({ url: slack, local, mentions, members });
}

export default function entry(): TargetEntry<SlackConfig> {
  return {
    summary: "Posts messages to a Slack channel by an incoming webhook.",
    schema: membersSchema(READERS, { required: ["slack"] }),
    parse,
  };
}
