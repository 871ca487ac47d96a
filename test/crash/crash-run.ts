/**
 * Kills the real router with SIGKILL while it works, again and again, starts it on the same state, and judges the end.
 * Queue targets are left out: the local queue broker keeps its messages in memory. Order is not looked at.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createChance } from "../simulation/chance.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, waitFor } from "../support/router-process.ts";
import type { FaultyTarget } from "./faulty-target.ts";
import { startFaultyTarget } from "./faulty-target.ts";
import type { Load } from "./load.ts";
import { createLoad } from "./load.ts";
import type { DeadDelivery, Verdict } from "./verdict.ts";
import { judge } from "./verdict.ts";

const SENDERS = 12;
/** From "ready" to the kill: from still starting up to well under way. */
const KILL_AFTER_MS_MAX = 1_500;
/** The load after the last kill. */
const LAST_LOAD_MS = 500;
/** A hang that is retried waits 60 s and up to a fifth more; one during the last load may meet another. */
const END_TIMEOUT_MS = 180_000;
const SENDERS_END_TIMEOUT_MS = 20_000;
/** Pages of the dead list: 200 events each. */
const DEAD_PAGES_MAX = 1_000;
/** Sluice's first wait after a timeout is a minute, whatever the schedule: only a long run should have such retries. */
const RETRIED_HANGS = 0.005;

export interface CrashRunOptions {
  readonly kills: number;
  readonly seed: number;
  /** The negative control: the state is removed after each kill, so that events must be lost. */
  readonly negative: boolean;
  /** Some timeouts are retried, which takes a minute at the end. */
  readonly retriedHangs: boolean;
  readonly progress: (text: string) => void;
  readonly signal?: AbortSignal;
}

export async function crashRun(options: CrashRunOptions): Promise<Verdict> {
  const targets = await startTargets(options);
  const workspace = await createWorkspace();
  try {
    const load = createLoad(targetsOf);
    const router = await killAgainAndAgain(workspace, load, targets, options);
    options.progress("waiting for the last deliveries");
    await waitForEnd(router.url, options);
    const dead = await listDead(router.url);
    return judge({
      targets: targets.map(({ name }) => name),
      sent: load.sent,
      answers: load.answers,
      arrivals: targets.flatMap(({ arrivals }) => arrivals),
      dead,
    });
  } finally {
    await workspace.remove();
    await Promise.all(targets.map((target) => target.close()));
  }
}

/** The rules that `writeRules` writes, said a second time, so that Sluice's matching is not its own witness. */
function targetsOf(event: string): readonly string[] {
  return event.startsWith("issue") ? ["steady", "flaky", "hanging"] : ["steady", "flaky"];
}

async function writeRules(workspace: Workspace, targets: readonly FaultyTarget[]): Promise<void> {
  const [steady, flaky, hanging] = targets.map(({ url }) => url);
  await workspace.writeRules({
    "sources.yaml": "github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }\n",
    "targets.yaml": `
steady: { http: "${steady}", timeout: 1s, retry: [1s, 1s, 2s, 2s, 2s] }
flaky: { http: "${flaky}", timeout: 1s, retry: [1s, 1s, 1s, 1s, 1s, 2s, 2s, 2s, 2s, 2s, 2s, 2s] }
hanging: { http: "${hanging}", timeout: 1s, retry: none }
`,
    "default/all.yaml": "pattern: { type: [{ prefix: com.github. }] }\ntargets: [steady, flaky]\n",
    "default/issues.yaml": "pattern: { type: [{ prefix: com.github.issue }] }\ntargets: [hanging]\n",
  });
}

async function startTargets({ seed, retriedHangs }: CrashRunOptions): Promise<readonly FaultyTarget[]> {
  const hang = retriedHangs ? RETRIED_HANGS : 0;
  return Promise.all([
    startFaultyTarget("steady", {}, createChance(seed + 1)),
    startFaultyTarget(
      "flaky",
      { hang, status500: 0.08, status503: 0.04, status422: 0.02, reset: 0.08, cut: 0.04, slow: 0.1 },
      createChance(seed + 2),
    ),
    startFaultyTarget("hanging", { hang: 0.05, stall: 0.05, status500: 0.05, slow: 0.1 }, createChance(seed + 3)),
  ]);
}

/** Answers the router that is left running when the last load is over. */
async function killAgainAndAgain(
  workspace: Workspace,
  load: Load,
  targets: readonly FaultyTarget[],
  { kills, seed, negative, progress, signal }: CrashRunOptions,
): Promise<RouterProcess> {
  await writeRules(workspace, targets);
  const moments = createChance(seed);
  const senders = Array.from({ length: SENDERS }, (_, index) => createChance(seed + 100 + index));
  for (let kill = 1; ; kill++) {
    signal?.throwIfAborted();
    const router = await workspace.start();
    const last = kill > kills;
    const runsMs = last ? LAST_LOAD_MS : moments.below(KILL_AFTER_MS_MAX);
    let stopped = false;
    const sending = Promise.all(senders.map((chance) => load.send(router.url, chance, () => stopped)));
    await Promise.race([sending, sleep(runsMs)]);
    stopped = last;
    if (!last) await router.kill();
    stopped = true;
    await within(sending, SENDERS_END_TIMEOUT_MS, "the senders to end");
    if (last) return router;
    const arrived = targets.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
    progress(`kill ${kill} of ${kills} after ${runsMs} ms: ${load.acknowledged()} acknowledged, ${arrived} requests`);
    if (negative) await rm(join(workspace.dir, "state"), { recursive: true, force: true });
  }
}

async function waitForEnd(url: string, { signal }: CrashRunOptions): Promise<void> {
  await waitFor(
    "every delivery to end",
    async () => {
      signal?.throwIfAborted();
      const { events } = await admin<{ events: readonly unknown[] }>(url, "events?status=pending&limit=1");
      return events.length === 0 ? true : undefined;
    },
    END_TIMEOUT_MS,
  );
}

interface DeadPage {
  readonly deliveries: readonly {
    readonly target: string;
    readonly event: { readonly event: { readonly id: string } };
  }[];
  readonly next: string | null;
}

async function listDead(url: string): Promise<readonly DeadDelivery[]> {
  const dead: DeadDelivery[] = [];
  let cursor = "";
  for (let page = 0; page < DEAD_PAGES_MAX; page++) {
    const { deliveries, next } = await admin<DeadPage>(url, `deliveries?state=dead&limit=200${cursor}`);
    dead.push(...deliveries.map(({ target, event }) => ({ target, event: event.event.id })));
    if (next === null) return dead;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
  throw new Error(`the dead list has more than ${DEAD_PAGES_MAX} pages`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function within<Value>(work: Promise<Value>, timeoutMs: number, what: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${what}`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
