/** Reads the entry of a GitHub repository in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { describe, readBindingName } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import { err, ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import { readEntry, readLine } from "./_preset-entry.ts";
import type { PresetConfig } from "./_preset.ts";
import { readTargetUrl } from "./_url-entry.ts";
import type { TargetUrl } from "./_url.ts";
import { EVENT_TYPE_CHARS_MAX } from "./_event-type.ts";

const GITHUB_API: TargetUrl = { url: "https://api.github.com/", isLoopback: false };

export interface GithubDispatchConfig extends PresetConfig {
  readonly repository: string;
  readonly token: string;
  readonly eventType: string | undefined;
  readonly api: TargetUrl;
}

/** Owners and names as GitHub has them, so that nothing in them can change the path. */
const REPOSITORY = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;

const readRepository: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && REPOSITORY.test(value)) return value;
    mistakes.push({ path, message: `expected a repository as owner/name, found ${describe(value)}` });
    return undefined;
  },
  { type: "string", pattern: REPOSITORY.source },
);

const READERS = {
  "github-dispatch": described(readRepository, "The repository, as owner/name.", { examples: ["octocat/hello"] }),
  token: described(
    readBindingName,
    "The secret that holds a token with the right to write the repository's contents.",
    {
      examples: ["DEPLOY_TOKEN"],
    },
  ),
  "event-type": described(
    readLine(EVENT_TYPE_CHARS_MAX),
    "The event_type that workflows listen to; by default the event's type.",
  ),
  api: described(readTargetUrl, "The API of a GitHub Enterprise Server: https://<host>/api/v3.", {
    default: "https://api.github.com",
  }),
  local: HTTP_READERS.local,
};

function parse(entry: JsonObject): Result<GithubDispatchConfig, readonly Mistake[]> {
  const read = readEntry(entry, READERS, ["github-dispatch", "token"]);
  if (!read.ok) return read;
  const { token, api = GITHUB_API, local } = read.value;
  if (new URL(api.url).search !== "") return err([{ path: ["api"], message: "expected a URL without a query (?…)" }]);
  return ok({ repository: read.value["github-dispatch"], token, eventType: read.value["event-type"], api, local });
}

export default function entry(): TargetEntry<GithubDispatchConfig> {
  return {
    summary: "Starts workflows of a GitHub repository by a repository_dispatch event.",
    schema: membersSchema(READERS, { required: ["github-dispatch", "token"] }),
    parse,
  };
}
