/**
 * `npm run bench:cold`: how long a new process of workerd takes from its start to its first answer, in turn for an empty Worker, a
 * Hono hello world (and one with Durable Objects) and Sluice: with the rules of this checkout, with everything on and, on request,
 * with many rules, asked for its health and sent a first signed webhook. Every Worker is minified as wrangler does. Nothing is
 * subtracted: the empty Worker says what the process costs by itself.
 */
import { createHmac } from "node:crypto";
import { request } from "node:http";
import { Command, Option } from "commander";
import { build } from "esbuild";
import { tableLines } from "../../bin/table.ts";
import { createTerminal } from "../../bin/terminal.ts";
import { checkFolder } from "../../scripts/check-folder.ts";
import { everythingOn } from "../../scripts/everything-on.ts";
import { RULES_DIR } from "../../scripts/generate.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import { buildWorker } from "../../scripts/worker-bundle.ts";
import type { RulesDocument } from "../../src/core/rule.ts";
import { ROUNDS_MAX, number, readNumber } from "./bench-options.ts";
import { benchDocument } from "./bench-rules.ts";
import { middlingExamples } from "./github-load.ts";
import { median } from "./percentile.ts";
import type { WorkerdOptions } from "./workerd-runner.ts";
import { BENCH_SECRETS, sluiceOptions, startWorkerd } from "./workerd-runner.ts";

/** The least that a Worker can be: what a process costs by itself. */
const EMPTY = "export default { fetch() { return new Response(); } };";

/** Hono's own first example. */
const HELLO = `import { Hono } from "hono";
const app = new Hono();
app.get("/", (c) => c.text("Hello Hono!"));
export default app;`;

/** The same with classes as Sluice has them: what workerd does for their namespaces and disk, whatever is in them. */
const HELLO_WITH_OBJECTS = `import { DurableObject } from "cloudflare:workers";
export class Partition extends DurableObject {}
export class Gate extends DurableObject {}
${HELLO}`;

const RULES_MAX = 100_000;

interface Case {
  readonly name: string;
  readonly options: WorkerdOptions;
  readonly call: Call;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
  readonly status: number;
}

const GET_ROOT: Call = { method: "GET", path: "/", headers: {}, body: "", status: 200 };

const command = new Command("bench:cold")
  .description(
    "Milliseconds from the start of a process to its first answer, beside a Hono hello world, in the same run.",
  )
  .usage("[options]      (npm run bench:cold -- [options])")
  .addOption(number("--rounds <n>", "new processes of each, in turn", ROUNDS_MAX, 15))
  .addOption(new Option("--rules <n>", "also with so many rules").argParser((text) => readNumber(text, RULES_MAX)))
  .option("--json", "print JSON")
  .addHelpText("after", "\nExamples:\n  npm run bench:cold\n  npm run bench:cold -- --rounds 5 --rules 10000");
const options = command.parse().opts<{ readonly rounds: number; readonly rules?: number; readonly json?: true }>();
const terminal = createTerminal(process);

const cases = await casesOf();
const times = new Map(cases.map(({ name }) => [name, [] as number[]]));
// The first ones warm the disk's cache.
for (const each of cases) await coldStart(each);
for (let round = 0; round < options.rounds; round++) {
  // Every round begins with another, so that none always follows the same.
  const first = round % cases.length;
  for (const each of [...cases.slice(first), ...cases.slice(0, first)])
    times.get(each.name)?.push(await coldStart(each));
}
show();

/** From the process's start to the end of its first answer, in milliseconds. */
async function coldStart({ options: worker, call }: Case): Promise<number> {
  const running = await startWorkerd(worker);
  try {
    const status = await send(running.url, call);
    const tookMs = performance.now() - running.startedAt;
    if (status !== call.status) throw new Error(`${call.method} ${call.path} answered ${status}`);
    return tookMs;
  } finally {
    await running.stop();
  }
}

function send(url: string, { method, path, headers, body }: Call): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method, headers, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject).end(body);
  });
}

async function casesOf(): Promise<readonly Case[]> {
  const registry = await loadRegistry();
  const { document } = await checkFolder(RULES_DIR, registry);
  const here = await minified(document);
  const everything = await minified(everythingOn(registry, { jsonata: true }));
  const health: Call = { ...GET_ROOT, path: "/healthz" };
  return [
    { name: "empty Worker", options: { script: await bundled(EMPTY) }, call: GET_ROOT },
    { name: "Hono hello world", options: { script: await bundled(HELLO) }, call: GET_ROOT },
    { name: "with Durable Objects", options: { ...here, script: await bundled(HELLO_WITH_OBJECTS) }, call: GET_ROOT },
    { name: "Sluice, GET /healthz", options: here, call: health },
    { name: "Sluice, signed webhook", options: here, call: webhook() },
    { name: "everything on, GET /healthz", options: everything, call: health },
    ...(options.rules === undefined ? [] : await casesOfRules(options.rules, health)),
  ];
}

/** Every isolate reads all rules before its first answer, and files those of a bus with its first event. */
async function casesOfRules(rules: number, health: Call): Promise<readonly Case[]> {
  const worker = await minified(benchDocument("http://127.0.0.1:1/", { rules }));
  return [
    { name: `${rules} rules, GET /healthz`, options: worker, call: health },
    { name: `${rules} rules, signed webhook`, options: worker, call: webhook() },
  ];
}

async function minified(document: RulesDocument): Promise<WorkerdOptions> {
  return { ...(await sluiceOptions(document)), script: (await buildWorker(document, { minify: true })).text };
}

async function bundled(contents: string): Promise<string> {
  const stdin = { contents, resolveDir: import.meta.dirname };
  const result = await build({
    stdin,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
    minify: true,
  });
  return result.outputFiles[0]?.text ?? "";
}

function webhook(): Call {
  const [example] = middlingExamples();
  if (example === undefined) throw new Error("there are no examples of GitHub's webhooks");
  const { event, body } = example;
  const signature = createHmac("sha256", BENCH_SECRETS.GITHUB_WEBHOOK_SECRET).update(body).digest("hex");
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-github-event": event,
    "x-github-delivery": "00000000-0000-4000-8000-000000000001",
    "x-hub-signature-256": `sha256=${signature}`,
  };
  return { method: "POST", path: "/webhooks/github", headers, body, status: 202 };
}

interface Row {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly ratioToHello: number;
  /** To the hello world with the same classes. */
  readonly ratioToObjects: number;
  readonly overEmptyMs: number;
}

function show(): void {
  const medians = cases.map(({ name }) => ({ name, medianMs: median(times.get(name) ?? []) }));
  const floorMs = medians[0]?.medianMs ?? Number.NaN;
  const helloMs = medians[1]?.medianMs ?? Number.NaN;
  const objectsMs = medians[2]?.medianMs ?? Number.NaN;
  const rows = medians.map(({ name, medianMs }): Row => ({
    name,
    medianMs: rounded(medianMs),
    minMs: rounded(Math.min(...(times.get(name) ?? []))),
    ratioToHello: rounded(medianMs / helloMs, 100),
    ratioToObjects: rounded(medianMs / objectsMs, 100),
    overEmptyMs: rounded(medianMs - floorMs),
  }));
  if (options.json === true) return terminal.print(JSON.stringify({ rounds: options.rounds, cases: rows }));
  const columns = [
    { title: "", value: ({ name }: Row) => name },
    { title: "MEDIAN MS", value: ({ medianMs }: Row) => String(medianMs) },
    { title: "LEAST MS", value: ({ minMs }: Row) => String(minMs) },
    { title: "TO HELLO WORLD", value: ({ ratioToHello }: Row) => String(ratioToHello) },
    { title: "TO THAT WITH OBJECTS", value: ({ ratioToObjects }: Row) => String(ratioToObjects) },
    { title: "OVER EMPTY MS", value: ({ overEmptyMs }: Row) => String(overEmptyMs) },
  ];
  for (const line of tableLines(rows, columns, terminal)) terminal.print(line);
}

function rounded(value: number, by = 10): number {
  return Math.round(value * by) / by;
}
