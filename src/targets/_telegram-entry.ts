/** Reads the entry of a Telegram target in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { describe, readBindingName, readInteger, readOneOf } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import { ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import { readEntry, readSwitch } from "./_preset-entry.ts";
import type { PresetConfig } from "./_preset.ts";

const PARSE_MODES = ["HTML", "MarkdownV2", "Markdown"] as const;

export interface TelegramConfig extends PresetConfig {
  readonly token: string;
  readonly hasMarkup: boolean;
  /** What each message has unless its payload says otherwise. */
  readonly members: JsonObject;
  /** What texts of a transform have. */
  readonly textMembers: JsonObject;
}

const readChat: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
    if (typeof value === "string" && /^(?:-?\d{1,20}|@[A-Za-z]\w{3,31})$/.test(value)) return value;
    const message = `expected a chat's id, such as "-1001234567890", or @name of a channel, found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  },
  { type: ["string", "integer"], pattern: "^(-?\\d{1,20}|@[A-Za-z]\\w{3,31})$" },
);

const READERS = {
  telegram: described(readBindingName, "The secret that holds the bot's token.", { examples: ["TELEGRAM_BOT_TOKEN"] }),
  chat: described(readChat, "The chat's id, or @name of a public channel."),
  local: HTTP_READERS.local,
  thread: described(readInteger(1, 2_147_483_647), "The topic of a forum to write to: its message_thread_id."),
  "parse-mode": described(
    readOneOf(PARSE_MODES),
    "The markup of texts that a transform makes. Without it they have none.",
  ),
  silent: described(readSwitch, "true: it arrives without a sound.", { default: false }),
  "link-preview": described(readSwitch, "false: without a preview of the page that a link leads to.", {
    default: true,
  }),
};

function parse(entry: JsonObject): Result<TelegramConfig, readonly Mistake[]> {
  const read = readEntry(entry, READERS, ["telegram", "chat"]);
  if (!read.ok) return read;
  const { telegram, chat, local, thread, silent = false } = read.value;
  const parseMode = read.value["parse-mode"];
  const members = {
    chat_id: chat,
    ...(thread === undefined ? {} : { message_thread_id: thread }),
    ...(silent ? { disable_notification: true } : {}),
    ...(read.value["link-preview"] === false ? { link_preview_options: { is_disabled: true } } : {}),
  };
  const textMembers = parseMode === undefined ? members : { ...members, parse_mode: parseMode };
  return ok({ token: telegram, local, hasMarkup: parseMode !== undefined, members, textMembers });
}

export default function entry(): TargetEntry<TelegramConfig> {
  return {
    summary: "Sends messages to a Telegram chat by a bot.",
    schema: membersSchema(READERS, { required: ["telegram", "chat"] }),
    parse,
  };
}
