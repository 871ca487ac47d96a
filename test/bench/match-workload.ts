/**
 * The matcher's own benchmark: GitHub's published payloads of about 10 kB, each of one of many repositories, and rules that ask
 * for such repositories. The same every time.
 */
import type { Json, JsonObject } from "../../src/core/result.ts";
import { isJsonObject, ownMember } from "../../src/core/result.ts";
import type { DrawRandom } from "../../src/core/seeded-random.ts";
import { seededRandom } from "../../src/core/seeded-random.ts";
import { githubExamples } from "../support/github-examples.ts";

/** The examples' own repository, which others take the place of. */
const OWNER = "Codertocat";
const REPOSITORY = "Hello-World";
const REPOSITORY_ID = "186853002";

const PAYLOAD_BYTES_MIN = 7_000;
const PAYLOAD_BYTES_MAX = 14_000;
const OWNERS = 40;
const REPOSITORIES = 6;
const EVENTS = 320;

interface Repository {
  readonly owner: string;
  readonly name: string;
  readonly id: number;
  readonly address: string;
}

function repositoryOf(number: number): Repository {
  const owner = `org-${Math.floor(number / REPOSITORIES)}-labs`;
  const address = `10.${number >> 8}.${number & 255}.7`;
  return { owner, name: `service-${number % REPOSITORIES}-api`, id: 100_000_000 + number * 977, address };
}

/** Plain payloads with one more member, the sender's address; as CloudEvents they stand under `data`. */
export function githubTexts(form: "payload" | "cloudevent"): readonly string[] {
  const random = seededRandom("events");
  const examples = githubExamples().filter(({ body }) => {
    return body.length >= PAYLOAD_BYTES_MIN && body.length <= PAYLOAD_BYTES_MAX && body.includes(REPOSITORY_ID);
  });
  return Array.from({ length: EVENTS }, (_, index) => {
    const { event, body } = examples[index % examples.length] as (typeof examples)[number];
    const { owner, name, id, address } = repositoryOf(Math.floor(random() * OWNERS * REPOSITORIES));
    const own = body.replaceAll(OWNER, owner).replaceAll(REPOSITORY, name).replaceAll(REPOSITORY_ID, String(id));
    const payload = { ...(JSON.parse(own) as JsonObject), client_address: address };
    if (form === "payload") return JSON.stringify(payload);
    const action = ownMember(payload, "action");
    return JSON.stringify({
      specversion: "1.0",
      id: `delivery-${index}`,
      source: `https://github.com/${owner}/${name}`,
      type: `com.github.${event}${typeof action === "string" ? `.${action}` : ""}`,
      time: "2026-01-01T00:00:00Z",
      datacontenttype: "application/json",
      data: payload,
    });
  });
}

type Condition = (repository: Repository) => JsonObject;

const fullName = (alternative: (name: string) => Json): Condition => {
  return ({ owner, name }) => ({ repository: { full_name: [alternative(`${owner}/${name}`)] } });
};

/** Each names one repository, or nearly. */
const CONDITIONS: Readonly<Record<string, Condition>> = {
  exact: fullName((name) => name),
  "ignore-case": fullName((name) => ({ "equals-ignore-case": name.toUpperCase() })),
  prefix: fullName((name) => ({ prefix: name.slice(0, -2) })),
  suffix: ({ owner, name }) => ({ repository: { html_url: [{ suffix: `/${owner}/${name}` }] } }),
  wildcard: ({ owner, name }) => ({ repository: { html_url: [{ wildcard: `*/${owner}/*${name.slice(4, -2)}*` }] } }),
  numeric: ({ id }) => ({ repository: { id: [{ numeric: [">=", id - 20, "<", id + 400] }] } }),
  cidr: ({ address }) => ({ client_address: [{ cidr: `${address}/28` }] }),
};
const OTHER_CONDITIONS: Readonly<Record<string, Condition>> = {
  "anything-but": fullName((name) => ({ "anything-but": [name, `${name}-old`] })),
  exists: ({ id }) => ({ [`x_${id}`]: [{ exists: true }] }),
  "exists-false": ({ id }) => ({ action: [{ exists: false }], repository: { id: [id] } }),
  or: ({ id, owner, name }) => ({
    $or: [{ repository: { id: [id] } }, { repository: { full_name: [`${owner}/${name}`] }, action: ["opened"] }],
  }),
};

export const KINDS: readonly string[] = [...Object.keys(CONDITIONS), ...Object.keys(OTHER_CONDITIONS)];

/** Conditions that many events meet, beside those that name a repository. */
const BROAD: readonly JsonObject[] = [
  { action: ["created", "opened", "edited", "completed"] },
  { sender: { type: [{ "anything-but": "Bot" }] } },
  { repository: { private: [false], fork: [{ exists: true }] } },
  { repository: { default_branch: ["master", { prefix: "release/" }] } },
  { sender: { id: [{ numeric: [">", 1_000, "<", 30_000_000] }] } },
  { installation: { id: [{ exists: false }] } },
];

/** One pattern each. `mixed`: several kinds, most of them with a broad condition beside. */
export function patternsOf(kind: string, count: number, form: "payload" | "cloudevent"): readonly JsonObject[] {
  const random = seededRandom(`rules ${kind}`);
  const kinds = { ...CONDITIONS, ...OTHER_CONDITIONS };
  // Of each kind as many as there are to name; beyond them they come again.
  return Array.from({ length: count }, (_, number) => {
    if (kind === "mixed") return under(form, mixedPattern(random));
    const make = kinds[kind];
    if (make === undefined) throw new Error(`there is no kind of rules ${kind}`);
    return under(form, make(repositoryOf(number)));
  });
}

/** Rules for four times as many repositories as there are. */
function mixedPattern(random: DrawRandom): JsonObject {
  const makers = [...Object.values(CONDITIONS), OTHER_CONDITIONS["or"] as Condition];
  const make = makers[Math.floor(random() * makers.length)] as Condition;
  const repository = repositoryOf(Math.floor(random() * OWNERS * REPOSITORIES * 1.3));
  const broad = random() < 0.8 ? (BROAD[Math.floor(random() * BROAD.length)] as JsonObject) : {};
  return merge(make(repository), broad);
}

function merge(a: JsonObject, b: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const known = ownMember(a, name);
    merged[name] = isJsonObject(known) && isJsonObject(value) ? merge(known, value) : value;
  }
  // A field may stand beside a $or or in it.
  if (Array.isArray(a["$or"]) && "action" in b) delete merged["action"];
  return merged;
}

function under(form: "payload" | "cloudevent", pattern: JsonObject): JsonObject {
  return form === "payload" ? pattern : { data: pattern };
}
