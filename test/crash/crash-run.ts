/**
 * Kills the real router with SIGKILL while it works, again and again, starts it on the same state, and judges the end.
 * Queue targets are left out: the local queue broker keeps its messages in memory.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Chance } from "../simulation/chance.ts";
import { createChance } from "../simulation/chance.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, waitFor } from "../support/router-process.ts";
import { ORDERED_TARGETS, REPOSITORIES, ruleFiles, startTargets, targetsOf } from "./cast.ts";
import type { FaultyTarget } from "./faulty-target.ts";
import type { Load } from "./load.ts";
import { createLoad } from "./load.ts";
import { pendingLines } from "./pending.ts";
import type { DeadDelivery, Verdict } from "./verdict.ts";
import { judge } from "./verdict.ts";

const SENDERS = 12;
const ORDERED_SENDERS = 8;
/** From "ready" to the kill: from still starting up to well under way. */
const KILL_AFTER_MS_MAX = 1_500;
/** The load after the last kill. */
const LAST_LOAD_MS = 500;
const END_TIMEOUT_MS = 60_000;
/** A hang that is retried waits 60 s and up to a fifth more; one during the last load may meet another. */
const END_TIMEOUT_WITH_HANGS_MS = 180_000;
const SENDERS_END_TIMEOUT_MS = 20_000;
/** Pages of the dead list: 200 events each. */
const DEAD_PAGES_MAX = 1_000;

export interface CrashRunOptions {
  readonly kills: number;
  readonly seed: number;
  /** A negative control: the state is removed after each kill, so that events must be lost. */
  readonly negative: boolean;
  /** A negative control: the rules lack their order, so that events must overtake each other. */
  readonly unordered: boolean;
  /** Some requests hang; a timeout that is retried takes a minute at the end. */
  readonly hangs: boolean;
  readonly progress: (text: string) => void;
  readonly signal?: AbortSignal;
}

export async function crashRun(options: CrashRunOptions): Promise<Verdict> {
  const targets = await startTargets(options);
  const workspace = await createWorkspace();
  try {
    await workspace.writeRules(ruleFiles(targets, options));
    const load = createLoad(targetsOf(options));
    const router = await killAgainAndAgain(workspace, load, targets, options);
    options.progress("waiting for the last deliveries");
    await waitForEnd(router.url, options);
    const dead = await listDead(router.url);
    return judge({
      targets: targets.map(({ name }) => name),
      orderedTargets: ORDERED_TARGETS,
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

/** Answers the router that is left running when the last load is over. */
async function killAgainAndAgain(
  workspace: Workspace,
  load: Load,
  targets: readonly FaultyTarget[],
  { kills, seed, negative, progress, signal }: CrashRunOptions,
): Promise<RouterProcess> {
  const moments = createChance(seed);
  const senders = startSenders(load, seed);
  for (let kill = 1; ; kill++) {
    signal?.throwIfAborted();
    const router = await workspace.start();
    const last = kill > kills;
    const runsMs = last ? LAST_LOAD_MS : moments.below(KILL_AFTER_MS_MAX);
    let stopped = false;
    const sending = Promise.all(senders.map((send) => send(router.url, () => stopped)));
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

type Sender = (url: string, stopped: () => boolean) => Promise<void>;

/** Two senders share a repository: of their events only those are in a known order that were not sent at the same time. */
function startSenders(load: Load, seed: number): readonly Sender[] {
  const chances = (count: number, from: number): readonly Chance[] =>
    Array.from({ length: count }, (_, index) => createChance(seed + from + index));
  return [
    ...chances(SENDERS, 100).map(
      (chance): Sender =>
        (url, stopped) =>
          load.send(url, chance, stopped),
    ),
    ...chances(ORDERED_SENDERS, 200).map((chance, index): Sender => {
      const repository = REPOSITORIES[index % REPOSITORIES.length] ?? 0;
      return (url, stopped) => load.sendOrdered(url, repository, chance, stopped);
    }),
  ];
}

async function waitForEnd(url: string, { signal, hangs }: CrashRunOptions): Promise<void> {
  const timeoutMs = hangs ? END_TIMEOUT_WITH_HANGS_MS : END_TIMEOUT_MS;
  const endsAt = Date.now() + timeoutMs;
  const ended = await waitFor(
    "every delivery to end",
    async () => {
      signal?.throwIfAborted();
      const { events } = await admin<{ events: readonly unknown[] }>(url, "events?status=pending&limit=1");
      if (events.length === 0) return true;
      return Date.now() > endsAt ? false : undefined;
    },
    2 * timeoutMs,
  );
  if (ended) return;
  throw new Error(`waited ${timeoutMs} ms for every delivery to end\n${(await pendingLines(url)).join("\n")}`);
}

interface DeadPage {
  readonly deliveries: readonly {
    readonly target: string;
    readonly endedAt: string;
    readonly event: { readonly event: { readonly id: string } };
  }[];
  readonly next: string | null;
}

async function listDead(url: string): Promise<readonly DeadDelivery[]> {
  const dead: DeadDelivery[] = [];
  let cursor = "";
  for (let page = 0; page < DEAD_PAGES_MAX; page++) {
    const { deliveries, next } = await admin<DeadPage>(url, `deliveries?state=dead&limit=200${cursor}`);
    dead.push(
      ...deliveries.map(({ target, endedAt, event }) => ({ target, event: event.event.id, at: Date.parse(endedAt) })),
    );
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
