/**
 * The queues and buckets that a deployment binds: looked for, and created where they are missing.
 *
 * Of wrangler 4.155's commands only `r2 bucket info` has `--json`. What tells that something is missing, in its source:
 * `queues info` fails with `Queue "<name>" does not exist.`; `r2 bucket info` hands on Cloudflare's error 10006, `r2 bucket
 * create` 10004 for a bucket that is there and 10042 for an account without R2 (https://developers.cloudflare.com/r2/api/error-codes/).
 */
import type { Result } from "../src/core/result.ts";
import { err, ok } from "../src/core/result.ts";
import type { Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { printable } from "./terminal.ts";
import type { Wrangler, WranglerAnswer } from "./wrangler.ts";

const NAME = /^[a-z0-9][a-z0-9-]*$/i;

export interface CloudResource {
  readonly kind: "queue" | "bucket";
  readonly name: string;
  /** Of a bucket: it is another one in each. */
  readonly jurisdiction?: string;
}

/** What wrangler.toml, read as TOML, binds in an environment; bindings are not inherited (wrangler's configuration page). */
export function boundResources(config: unknown, environment: string | undefined): readonly CloudResource[] {
  const settings = environment === undefined ? config : member(member(config, "env"), environment);
  const producers = listOf(member(member(settings, "queues"), "producers"));
  const queues = producers.map((each): CloudResource => ({ kind: "queue", name: textOf(member(each, "queue")) }));
  const buckets = listOf(member(settings, "r2_buckets")).map((each): CloudResource => {
    const jurisdiction = textOf(member(each, "jurisdiction"));
    const name = textOf(member(each, "bucket_name"));
    return { kind: "bucket", name, ...(jurisdiction === "" ? {} : { jurisdiction }) };
  });
  const found = new Map([...queues, ...buckets].map((each) => [JSON.stringify(each), each]));
  // What has no name, or none that may be (it could be taken for an option), is wrangler's to complain of.
  return [...found.values()].filter(({ name }) => NAME.test(name));
}

/** Creates what is missing and says so. `shared`: options of every command, such as `--env`. */
export async function createMissing(
  resources: readonly CloudResource[],
  shared: readonly string[],
  wrangler: Pick<Wrangler, "ask">,
  terminal: Pick<Terminal, "say" | "tint">,
): Promise<Result<null, Failure>> {
  for (const resource of resources) {
    const { ask } = wrangler;
    const shown = describeResource(resource);
    const found = await ask(commandFor(resource, "info", shared));
    if (found.code === 0) {
      terminal.say(`${capitalised(shown)} is there`);
      continue;
    }
    if (!isMissing(resource, found) && reasonOf(found) !== undefined)
      return err(failureOf(resource, "looked for", found));
    const created = await ask(commandFor(resource, "create", shared));
    if (created.code === 0) terminal.say(`${terminal.tint("green", "Created")} ${shown}`);
    else if (/\[code: 10004\]|already exists, and you own it/i.test(created.output)) {
      terminal.say(`${capitalised(shown)} is there`);
    } else return err(failureOf(resource, "created", created));
  }
  return ok(null);
}

export function describeResource({ kind, name, jurisdiction }: CloudResource): string {
  const where = jurisdiction === undefined ? "" : ` (${printable(jurisdiction)})`;
  return `the ${kind === "queue" ? "queue" : "R2 bucket"} ${printable(name)}${where}`;
}

function commandFor(resource: CloudResource, verb: "info" | "create", shared: readonly string[]): readonly string[] {
  const { kind, name, jurisdiction } = resource;
  const where = jurisdiction === undefined ? [] : ["--jurisdiction", jurisdiction];
  const command = kind === "queue" ? ["queues", verb] : ["r2", "bucket", verb];
  return [...command, name, ...where, ...shared];
}

function isMissing({ kind }: CloudResource, { output }: WranglerAnswer): boolean {
  if (kind === "queue") return /\bqueue\b.*\bdoes not exist\b/i.test(output);
  return /\[code: 10006\]|bucket does not exist/i.test(output);
}

type Trouble = "login" | "account" | "permission" | "no-r2";

/** Trouble that has a known way out. */
function reasonOf({ output }: WranglerAnswer): Trouble | undefined {
  if (/CLOUDFLARE_ACCOUNT_ID|more than one account/i.test(output)) return "account";
  if (/CLOUDFLARE_API_TOKEN|not logged in|wrangler login|\[code: (?:9109|6003|6111)\]/i.test(output)) return "login";
  if (/\[code: 10042\]|enable R2/i.test(output)) return "no-r2";
  if (/\[code: (?:10000|10023|10106|9103)\]|authentication error|unauthorized|forbidden|permission/i.test(output)) {
    return "permission";
  }
  return undefined;
}

function failureOf(resource: CloudResource, what: string, answer: WranglerAnswer): Failure {
  const message = `${describeResource(resource)} could not be ${what}: ${errorLine(answer)}`;
  const withoutBucket =
    "Or deploy without the bucket: remove the lines of [[r2_buckets]] from wrangler.toml. What is too large for a partition or " +
    "a queue is then refused with 413, or ends as dead: too-large or configuration.";
  switch (reasonOf(answer)) {
    case "login":
      return { message, hint: "Log in with `npx wrangler login`, or set CLOUDFLARE_API_TOKEN." };
    case "account":
      return { message, hint: "Say which account: set CLOUDFLARE_ACCOUNT_ID, or account_id in wrangler.toml." };
    case "no-r2":
      return { message, hint: `Enable R2 in the dashboard (R2 object storage; it asks for a plan). ${withoutBucket}` };
    case "permission": {
      const permission = resource.kind === "queue" ? "Queues: Edit" : "Workers R2 Storage: Edit";
      const hint = `The login or token needs the permission ${permission}; \`npx wrangler whoami\` shows what it has.`;
      return { message, hint: resource.kind === "bucket" ? `${hint} ${withoutBucket}` : hint };
    }
    case undefined: {
      const command = commandFor(resource, "create", []);
      const hint = `Create it with \`npx wrangler ${command.map(printable).join(" ")}\` or in the dashboard, then deploy again.`;
      return { message, hint: resource.kind === "bucket" ? `${hint} ${withoutBucket}` : hint };
    }
  }
}

/** The line that says most: Cloudflare's own words stand before a code, wrangler's after ERROR. */
function errorLine({ code, output }: WranglerAnswer): string {
  const lines = output.split("\n").map((line) => printable(line).trim());
  const line =
    lines.find((each) => /\[code: \d+\]/.test(each)) ??
    lines.find((each) => /\bERROR\b/.test(each))?.replace(/^.*?\bERROR\b\W*/, "");
  if (line !== undefined && line !== "") return line;
  return code === null ? "wrangler did not answer in time" : `wrangler ended with code ${code}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
