/** Reads the entry of a Discord target in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { describe, readBindingName } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import { ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import { readEntry, readLine, readSwitch } from "./_preset-entry.ts";
import type { PresetConfig } from "./_preset.ts";

const USERNAME_CHARS_MAX = 80;

const SUPPRESS_NOTIFICATIONS = 1 << 12;

export interface DiscordConfig extends PresetConfig {
  readonly url: string;
  readonly thread: string | undefined;
  /** What each message has unless its payload says otherwise. */
  readonly members: JsonObject;
}

/** A snowflake. As a number it would have lost its last digits already. */
const readId: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && /^\d{15,22}$/.test(value)) return value;
    mistakes.push({
      path,
      message: `expected an id in quotes, such as "1100000000000000000", found ${describe(value)}`,
    });
    return undefined;
  },
  { type: "string", pattern: "^\\d{15,22}$" },
);

const READERS = {
  discord: described(readBindingName, "The secret that holds the webhook's URL.", {
    examples: ["DISCORD_WEBHOOK_URL"],
  }),
  local: HTTP_READERS.local,
  username: described(readLine(USERNAME_CHARS_MAX), "The name that it posts by, in place of the webhook's own."),
  thread: described(readId, "The id of a thread of the webhook's channel to post into, in quotes."),
  silent: described(readSwitch, "true: nobody is notified.", { default: false }),
  mentions: described(
    readSwitch,
    "true: messages may call people, roles and @everyone. Otherwise they are only shown.",
    {
      default: false,
    },
  ),
};

function parse(entry: JsonObject): Result<DiscordConfig, readonly Mistake[]> {
  const read = readEntry(entry, READERS, ["discord"]);
  if (!read.ok) return read;
  const { discord, local, username, thread, silent = false, mentions = false } = read.value;
  const members = {
    ...(username === undefined ? {} : { username }),
    ...(silent ? { flags: SUPPRESS_NOTIFICATIONS } : {}),
    ...(mentions ? {} : { allowed_mentions: { parse: [] } }),
  };
  return ok({ url: discord, local, thread, members });
}

export default function entry(): TargetEntry<DiscordConfig> {
  return {
    summary: "Posts messages to a Discord channel by a webhook.",
    schema: membersSchema(READERS, { required: ["discord"] }),
    parse,
  };
}
