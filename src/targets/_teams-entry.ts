/** Reads the entry of a Teams target in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { readBindingName } from "../core/read-object.ts";
import { described, membersSchema } from "../core/reader-schema.ts";
import { ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import { readEntry } from "./_preset-entry.ts";
import type { PresetConfig } from "./_preset.ts";

export interface TeamsConfig extends PresetConfig {
  readonly url: string;
}

const READERS = {
  teams: described(readBindingName, "The secret that holds the URL of a Workflows webhook.", {
    examples: ["TEAMS_WEBHOOK_URL"],
  }),
  local: HTTP_READERS.local,
};

function parse(entry: JsonObject): Result<TeamsConfig, readonly Mistake[]> {
  const read = readEntry(entry, READERS, ["teams"]);
  return read.ok ? ok({ url: read.value.teams, local: read.value.local }) : read;
}

export default function entry(): TargetEntry<TeamsConfig> {
  return {
    summary: "Posts Adaptive Cards to a Microsoft Teams channel by a Workflows webhook.",
    schema: membersSchema(READERS, { required: ["teams"] }),
    parse,
  };
}
