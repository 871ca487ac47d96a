/** `sluice redrive`: opens dead and parked deliveries again, by receipt or all of one kind. */
import type { JsonObject, Result } from "../../src/core/result.ts";
import { ok } from "../../src/core/result.ts";
import type { AdminClient } from "../admin-client.ts";
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { answerAs } from "../shown-delivery.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";
import type { DeadPage } from "./dead.ts";

/** What the admin API takes at a time (src/http/admin.ts). */
const ITEMS_MAX = 100;

export interface RedriveOptions {
  readonly to: string;
  readonly json?: boolean;
  readonly delivery?: string;
  readonly all?: boolean;
  readonly parked?: boolean;
  readonly rule?: string;
  readonly target?: string;
}

interface Item extends JsonObject {
  readonly event: string;
}

interface ItemResult {
  readonly event: string;
  readonly redriven: number;
  readonly problem?: string;
}

interface Summary {
  readonly redriven: number;
  readonly problems: readonly ItemResult[];
}

const PROBLEMS: Readonly<Record<string, string>> = {
  "unknown-event": "no event has this receipt",
  "nothing-dead": "nothing of it is dead or parked",
  "backlog-full": "its partition has too much open already: try again when that is delivered",
  "body-evicted": "older than the log: its body is gone",
};

export async function redrive(
  receipts: readonly string[],
  options: RedriveOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const wrong = checkUse(receipts, options);
  if (wrong !== undefined) return terminal.fail({ message: wrong, hint: "See: sluice redrive --help", isUsage: true });
  const client = await connectAdmin(options.to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const items = receipts.map((event): Item =>
    options.delivery === undefined ? { event } : { event, delivery: options.delivery },
  );
  const done = options.all === true ? await redriveAll(client.value, options) : await redriveItems(client.value, items);
  if (!done.ok) return terminal.fail(done.error);
  const { redriven, problems } = done.value;
  if (options.json === true) terminal.print(JSON.stringify(done.value));
  else {
    for (const { event, problem } of problems)
      terminal.say(`${printable(event)}: ${PROBLEMS[problem ?? ""] ?? printable(problem ?? "")}`);
    terminal.print(`${redriven} ${redriven === 1 ? "delivery" : "deliveries"} opened again`);
  }
  return problems.length > 0 ? EXIT_FAILURE : EXIT_OK;
}

function checkUse(
  receipts: readonly string[],
  { all, parked, delivery, rule, target }: RedriveOptions,
): string | undefined {
  if (all === true && receipts.length > 0) return "give receipts or --all, not both";
  if (all === true && delivery !== undefined) return "--delivery belongs to one receipt, not to --all";
  if (all !== true && receipts.length === 0) return "expected receipts (evt_…), or --all";
  if (all !== true && (rule !== undefined || target !== undefined)) return "--rule and --target belong to --all";
  if (all !== true && parked === true) return "--parked belongs to --all; a receipt opens what is parked of it too";
  if (delivery !== undefined && receipts.length > 1) return "--delivery belongs to one receipt, found several";
  return undefined;
}

async function redriveItems(client: AdminClient, items: readonly Item[]): Promise<Result<Summary, Failure>> {
  let redriven = 0;
  const problems: ItemResult[] = [];
  for (let at = 0; at < items.length; at += ITEMS_MAX) {
    const answer = await client.post("/redrive", { items: items.slice(at, at + ITEMS_MAX) });
    if (!answer.ok) return answer;
    const { results } = answerAs<{ readonly results: readonly ItemResult[] }>(answer.value);
    redriven += results.reduce((sum, result) => sum + result.redriven, 0);
    problems.push(...results.filter(({ problem }) => problem !== undefined));
  }
  return ok({ redriven, problems });
}

/** Goes through the dead list page by page, newest first: what dies again meanwhile stands above and isn't met twice. */
async function redriveAll(
  client: AdminClient,
  { rule, target, parked }: RedriveOptions,
): Promise<Result<Summary, Failure>> {
  let redriven = 0;
  let problems: readonly ItemResult[] = [];
  let cursor: string | undefined;
  do {
    const answer = await client.get("/deliveries", {
      state: parked === true ? "parked" : "dead",
      limit: String(ITEMS_MAX),
      rule,
      target,
      cursor,
    });
    if (!answer.ok) return answer;
    const page = answerAs<DeadPage>(answer.value);
    // What someone else opened in between is no problem of this command.
    const done = await redriveItems(
      client,
      page.deliveries.map(({ event, delivery }) => ({ event: event.id, delivery })),
    );
    if (!done.ok) return done;
    redriven += done.value.redriven;
    // A full backlog only empties with time, so what follows would fail too.
    problems = done.value.problems.filter(({ problem }) => problem === "backlog-full");
    if (problems.length > 0) break;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return ok({ redriven, problems });
}
