/**
 * What one event uses, counted: signed GitHub webhooks go through the real source, `publish`, the real partition and `dispatch`,
 * on simulated time. Only the network, the commit and the targets are made up, each a number below. Nothing here depends on how
 * fast this machine is but `engineMs`.
 */
import { createHmac } from "node:crypto";
import type { DispatchPorts } from "../../src/bus/dispatch.ts";
import { dispatch } from "../../src/bus/dispatch.ts";
import { logLine } from "../../src/bus/log-line.ts";
import { createPacer } from "../../src/bus/pacer.ts";
import { createPartitionGroups } from "../../src/bus/partition-groups.ts";
import { originOf } from "../../src/bus/plan-event.ts";
import type { PartitionPort } from "../../src/bus/ports.ts";
import { publish } from "../../src/bus/publish.ts";
import type { ReceivedEvent } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";
import { deflating } from "../../src/objects/deflating.ts";
import { openEngine } from "../../src/objects/engine.ts";
import { LEDGER_LIMITS } from "../../src/objects/ledger-limits.ts";
import github from "../../src/sources/github.ts";
import { createTimeline } from "../simulation/timeline.ts";
import { githubExamples } from "../support/github-examples.ts";
import { openNodeSql } from "../support/node-sql.ts";
import { ruleSetOf } from "../support/rule-sets.ts";
import { targetIo } from "../support/target-io.ts";

/** Assumed: from a Worker to an object and back, each way. */
export const NETWORK_MS = 5;
/** Assumed: from a call's arrival at an object until its reply may leave, its commit replicated. Awake for so long. */
export const COMMIT_MS = 10;
/** What the target takes to answer. */
export const ANSWER_MS = 50;
/** Between two events of a trickle: longer than a lease, so that each has an alarm of its own. */
export const TRICKLE_MS = 60_000;

const START = Date.UTC(2026, 0, 1);
/** Not counted: tables are made, and connections of the load come up. */
const WARM_UP_EVENTS = 20;
/** Steps of the timeline for an event and for a delivery of it, about; it takes 60,000 in all. */
const STEPS = { inAll: 45_000, event: 12, delivery: 6 };
const EVENTS_MAX = 1_000;
const SECRET = "made-up-for-the-cost-model";
const SIGNED = { auth: "signature", secretNames: ["SECRET"], replays: "flag" } as const;

export interface Load {
  readonly fanout: number;
  readonly bodyBytes: number;
  /** Events a second in the partition, at random moments; null for a trickle. */
  readonly eventsPerSecond: number | null;
  /** Isolates that they come in by, each at random. */
  readonly isolates: number;
  /** How many are counted, where the timeline takes so many; 1,000 otherwise. */
  readonly events?: number;
}

/** Of one event, on average. */
export interface Counted {
  readonly events: number;
  readonly accepts: number;
  readonly settles: number;
  readonly alarms: number;
  readonly rowsWritten: number;
  /** Of `rowsWritten`, alarms that were set. */
  readonly alarmsSet: number;
  readonly requestsSent: number;
  readonly awakeMs: number;
  readonly storedBytes: number;
  readonly logLines: number;
  readonly logBytes: number;
  /** Time that the partition's own code took on this machine, over `node:sqlite` in memory. */
  readonly engineMs: number;
}

export async function countLoad(load: Load): Promise<Counted> {
  const { fanout, bodyBytes, eventsPerSecond, isolates } = load;
  const timeline = createTimeline(START);
  const random = lcg(11);
  const filling = fillingText();
  const fitting = Math.floor(STEPS.inAll / (STEPS.event + STEPS.delivery * fanout));
  const events = Math.min(load.events ?? EVENTS_MAX, fitting);
  const names = Array.from({ length: fanout }, (_, n) => `target-${n}`);
  let counts = newCounts();
  let [delivered, tokens, awakeUntil] = [0, 0, 0];
  let alarmAt: number | null = null;
  const failures: unknown[] = [];
  const fail = (error: unknown) => void failures.push(error);
  const sql = openNodeSql();
  const ruleSet = ruleSetOf({
    targets: Object.fromEntries(names.map((name) => [name, {}])),
    rules: Object.fromEntries(names.map((name) => [`to-${name}`, { targets: [name] }])),
    send: async () => {
      counts.requestsSent += 1;
      await timeline.sleep(ANSWER_MS);
      delivered += 1;
      return { kind: "delivered", answer: { status: 200, body: "ok" } };
    },
  });
  const newToken = () => `${String((tokens += 1)).padStart(8, "0")}-0000-4000-8000-000000000000`;

  /** The object has work until the commit of this call is done; what overlaps is billed once. */
  function timed<Value>(work: () => Value): Value {
    const now = timeline.now();
    counts.awakeMs += Math.max(0, now + COMMIT_MS - Math.max(now, awakeUntil));
    awakeUntil = Math.max(awakeUntil, now + COMMIT_MS);
    const began = performance.now();
    const value = work();
    counts.engineMs += performance.now() - began;
    return value;
  }

  const engine = openEngine({
    deflating,
    sql,
    limits: LEDGER_LIMITS,
    setAlarm(at) {
      alarmAt = at;
      counts.alarmsSet += 1;
      timeline.after(at - timeline.now(), () => {
        if (alarmAt !== at) return;
        alarmAt = null;
        counts.alarms += 1;
        void timed(() => engine.alarm());
      });
    },
    handOver: async (job) => {
      await timeline.sleep(NETWORK_MS);
      alarmsIsolate.lent(job, timeline.now());
      void dispatch([job], alarmsIsolate.ports);
    },
    askOpenLanes: async () => [],
    now: timeline.now,
    newToken,
    log: () => {},
  });
  engine.start(null);

  const refuse = () => Promise.reject(new Error("nobody asks this"));
  async function call<Reply>(kind: "accepts" | "settles", work: () => Reply): Promise<Reply> {
    await timeline.sleep(NETWORK_MS);
    counts[kind] += 1;
    const reply = timed(work);
    await timeline.sleep(COMMIT_MS + NETWORK_MS);
    return reply;
  }
  const partition: PartitionPort = {
    accept: (request, others) => call("accepts", () => engine.accept(request, others)),
    settle: (request) => call("settles", () => engine.settle(request)),
    known: refuse,
    openLanes: refuse,
  };

  const within: DispatchPorts["within"] = (work, timeoutMs) =>
    Promise.race([work, timeline.sleep(timeoutMs).then(() => "timeout" as const)]);

  function newIsolate() {
    const groups = createPartitionGroups();
    const invocation = { now: timeline.now, within, later: (work: Promise<void>) => void work.catch(fail) };
    const ports: DispatchPorts = {
      ruleSet,
      rulesVersion: { hash: "0123456789abcdef", deployedAt: 1 },
      io: targetIo({ now: timeline.now }),
      now: timeline.now,
      sleep: timeline.sleep,
      random,
      log(message, fields) {
        counts.logLines += 1;
        counts.logBytes += logLine(message, fields).length;
      },
      partitions: 1,
      partitionsBefore: [],
      hashing,
      newToken,
      pacer: createPacer(),
      within,
      allPartitions: () => [],
      adminPartition: () => ({ setTargetStatuses: refuse }),
      gate: () => {
        throw new Error("no target has limits");
      },
      partition: (name) => groups.port(name, () => partition, invocation),
    };
    return { ports, lent: groups.lent };
  }

  const source = ruleSet.source("events");
  if (source === undefined) throw new Error("the rule set has its source");
  const origin = originOf(source);
  async function take(n: number, ports: DispatchPorts): Promise<void> {
    const published = await publish([webhook(n, bodyOf(n, bodyBytes, filling), timeline.now())], origin, ports);
    if (!published.ok) throw new Error(`event ${n} was refused: ${published.error.reason}`);
    await dispatch(published.value.jobs, ports);
  }

  const alarmsIsolate = newIsolate();
  const ingest = Array.from({ length: isolates }, newIsolate);
  /** Lets so many events come in and all their work end. */
  async function run(from: number, count: number): Promise<void> {
    let at = 0;
    for (let n = from; n < from + count; n++) {
      at += eventsPerSecond === null ? TRICKLE_MS : (-Math.log(1 - random()) * 1_000) / eventsPerSecond;
      const isolate = ingest[Math.floor(random() * isolates)];
      if (isolate === undefined) throw new Error("an isolate for each event");
      timeline.after(at, () => void take(n, isolate.ports).catch(fail));
    }
    await timeline.run(timeline.now() + Math.ceil(at) + TRICKLE_MS, () => {});
    if (failures.length > 0) throw failures[0];
  }

  await run(0, WARM_UP_EVENTS);
  const [rowsBefore, bytesBefore] = [sql.rowsWritten(), sql.bytes()];
  [counts, delivered] = [newCounts(), 0];
  await run(WARM_UP_EVENTS, events);
  if (delivered !== events * fanout) throw new Error(`${delivered} of ${events * fanout} deliveries came to their end`);
  const rowsWritten = sql.rowsWritten() - rowsBefore + counts.alarmsSet;
  const sums = { ...counts, rowsWritten, storedBytes: sql.bytes() - bytesBefore };
  sql.close();
  const averages = Object.entries(sums).map(([name, sum]) => [name, sum / events] as const);
  return { ...(Object.fromEntries(averages) as typeof sums), events };
}

function newCounts() {
  return {
    accepts: 0,
    settles: 0,
    alarms: 0,
    alarmsSet: 0,
    requestsSent: 0,
    awakeMs: 0,
    logLines: 0,
    logBytes: 0,
    engineMs: 0,
  };
}

/** Text of GitHub's own examples that needs no escapes in JSON: filled with it, bodies are as like themselves as webhooks are. */
function fillingText(): string {
  const text = githubExamples().map(({ body }) => body);
  return text
    .join("")
    .replaceAll(/[^ -~]/g, "?")
    .replaceAll('"', "'")
    .replaceAll("\\", "/");
}

/** A body of so many bytes, another one for each number. */
function bodyOf(n: number, bytes: number, filling: string): Buffer {
  const owner = { login: "octocat", id: 583_231 };
  const repository = { id: 17, full_name: "octocat/hello", html_url: "https://github.com/octocat/hello", owner };
  const head = JSON.stringify({ action: "opened", repository, number: n, text: "" }).slice(0, -2);
  const room = Math.max(0, bytes - head.length - 2);
  const from = (n * 9_973) % Math.max(1, filling.length - room);
  return Buffer.from(`${head}${filling.slice(from, from + room)}"}`);
}

/** As GitHub sends it, signed, always of one repository, so of one partition. */
function webhook(n: number, body: Buffer, now: number): ReceivedEvent {
  const headers = new Headers({
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/044aadd",
    "x-github-event": "issues",
    "x-github-delivery": `72d3162e-cc78-11e3-81ab-${String(n).padStart(12, "0")}`,
    "x-github-hook-id": "292430182",
    "x-github-hook-installation-target-id": "79929171",
    "x-github-hook-installation-target-type": "repository",
    "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
  });
  const request = { method: "POST", url: "https://sluice.example.com/webhooks/github", headers, body };
  const received = github.receive(request, SIGNED, "github", { now, hashing, secret: () => SECRET });
  const [event] = received.ok ? received.value.events : [];
  if (event === undefined) throw new Error("the source refused its own webhook");
  return event;
}

/** Numbers that look random, the same in every run: Numerical Recipes, "an even quicker and dirtier generator". */
function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
