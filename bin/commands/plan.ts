/** `sluice plan`: what the rules in a folder would do otherwise than those before, with events that really came. */
import type { SourceMark } from "../../src/core/plan-pairs.ts";
import { changedSources, changedTargets, movedSources } from "../../src/core/plan-pairs.ts";
import { planChanges } from "../../src/core/plan.ts";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import type { RuleDefinition, RulesDocument } from "../../src/core/rule.ts";
import type { TargetMark } from "../../src/core/target-mark.ts";
import { targetMark } from "../../src/core/target-mark.ts";
import { hashing } from "../../src/hashing.ts";
import type { AdminClient } from "../admin-client.ts";
import { URL_DEFAULT, connectAdmin } from "../admin-client.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { EXIT_CHANGES, EXIT_OK } from "../failure.ts";
import { PLAN_EVENTS_MAX } from "../options.ts";
import type { EventReading } from "../plan/event-reading.ts";
import { readEventFiles, readLog } from "../plan/event-reading.ts";
import type { Changes } from "../plan/plan-text.ts";
import { planLines, planTotals } from "../plan/plan-text.ts";
import { checkRules, rulesFailure, sayProblems } from "../rules-check.ts";
import { answerAs } from "../shown-delivery.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

const LAST_DEFAULT = 500;
const BUS_DEFAULT = "default";
/** Between two updates of the progress. */
const PROGRESS_MS = 100;

export interface PlanOptions {
  readonly rules: string;
  /** Undefined when it was not given. */
  readonly to?: string;
  readonly last?: number;
  readonly since?: string;
  readonly type?: string;
  readonly events?: string;
  readonly bus?: string;
  readonly against?: string;
  readonly save?: string;
  readonly json?: boolean;
}

/** One side of a plan. */
interface RulesSide {
  readonly version: string;
  readonly rules: readonly RuleDefinition[];
  readonly targets: readonly TargetMark[];
  readonly sources: readonly SourceMark[];
}

/** Exit codes: 0 nothing changes, 2 something does, 1 for everything that went wrong. */
export async function plan(options: PlanOptions, terminal: Terminal): Promise<ExitCode> {
  const made = await makePlan(options, terminal);
  terminal.progress(null);
  if (!made.ok) return terminal.fail(made.error);
  const { before, after, changes } = made.value;
  const { rules, targets, sources } = changes;
  const hasChanges = rules.rules.length + targets.length + sources.length > 0;
  if (options.json === true) {
    const versions = { before: before.version, after: after.version };
    const summary = planTotals(changes);
    terminal.print(JSON.stringify({ changes: hasChanges, ...versions, summary, rules: rules.rules, targets, sources }));
  } else {
    if (rules.eventCount === 0) terminal.say("No events were found: this says only how the rule files differ.");
    for (const line of planLines(changes, terminal.paint)) terminal.print(line);
  }
  return hasChanges ? EXIT_CHANGES : EXIT_OK;
}

interface MadePlan {
  readonly before: RulesSide;
  readonly after: RulesSide;
  readonly changes: Changes;
}

async function makePlan(options: PlanOptions, terminal: Terminal): Promise<Result<MadePlan, Failure>> {
  const mistake = optionMistake(options);
  if (mistake !== undefined) return err(mistake);
  const needsRouter = options.events === undefined || options.against === undefined;
  const client = needsRouter ? await connectAdmin(options.to ?? URL_DEFAULT, terminal.env) : undefined;
  if (client?.ok === false) return client;
  const after = await folderSide(options.rules, terminal);
  if (!after.ok) return after;
  const before =
    options.against === undefined ? await routerSide(client?.value) : await folderSide(options.against, terminal);
  if (!before.ok) return before;
  const reading = await openEvents(options, client?.value);
  if (!reading.ok) return reading;

  let shownAt = Date.now();
  const sayProgress = (eventCount: number) => {
    if (Date.now() - shownAt < PROGRESS_MS) return;
    shownAt = Date.now();
    terminal.progress(terminal.tint("dim", `${eventCount} events …`));
  };
  const sources = changedSources(before.value.sources, after.value.sources);
  const [was, is] = [before.value.rules, after.value.rules];
  const planned = await planChanges(was, is, reading.value.batches, sayProgress, movedSources(sources));
  const failure = reading.value.failure();
  if (failure !== undefined) return err(failure);
  if (!planned.ok) {
    const { rule, side, detail } = planned.error;
    return err({
      message: `the rule ${printable(rule)} (${side}) can't be read by this version: ${printable(detail)}`,
      hint: "Use the version of this command that the router was deployed with.",
    });
  }
  const leftOut = reading.value.leftOut();
  if (leftOut > 0) {
    const events = leftOut === 1 ? "1 event was" : `${leftOut} events were`;
    terminal.say(`${events} left out: of a large payload the log holds no data.`);
  }
  if (reading.value.hasMore()) {
    terminal.progress(null);
    terminal.say(terminal.tint("dim", `There are more events: only the first ${planned.value.eventCount} were read.`));
  }
  const targets = changedTargets(before.value.targets, after.value.targets);
  return ok({ before: before.value, after: after.value, changes: { rules: planned.value, targets, sources } });
}

function optionMistake(options: PlanOptions): Failure | undefined {
  const { events, against, to, bus } = options;
  if (events === undefined) {
    return bus === undefined
      ? undefined
      : { message: "--bus belongs to --events: a router knows the bus of its events" };
  }
  const ofLog = (["since", "type", "save"] as const).find((name) => options[name] !== undefined);
  if (ofLog !== undefined) return { message: `--${ofLog} is for a router's events, not for --events` };
  if (against === undefined && to === undefined) {
    return {
      message: "with --events, expected what to compare with",
      hint: "Name a folder of rules with --against DIR, or a router with --to URL.",
    };
  }
  return against !== undefined && to !== undefined
    ? { message: "with --events, expected --against or --to, not both" }
    : undefined;
}

async function openEvents(
  { events, bus = BUS_DEFAULT, last, since, type, save }: PlanOptions,
  client: AdminClient | undefined,
): Promise<Result<EventReading, Failure>> {
  const now = Date.now();
  if (events !== undefined) return readEventFiles(events, { bus, last: last ?? PLAN_EVENTS_MAX, now });
  if (client === undefined) throw new Error("without files the events are a router's");
  return ok(readLog(client, { last: last ?? LAST_DEFAULT, since, type, save, now }));
}

async function folderSide(dir: string, terminal: Terminal): Promise<Result<RulesSide, Failure>> {
  const { document, ruleSet, problems } = await checkRules(dir, false);
  if (document !== undefined && ruleSet !== undefined) return ok(folderSideOf(document, ruleSet));
  sayProblems(
    problems.filter(({ severity }) => severity === "error"),
    terminal,
  );
  return err(rulesFailure(dir, problems));
}

function folderSideOf({ version, rules, sources }: RulesDocument, { targets }: RuleSet): RulesSide {
  return { version, rules, targets: targets.map(({ definition }) => targetMark(definition, hashing.sha256)), sources };
}

async function routerSide(client: AdminClient | undefined): Promise<Result<RulesSide, Failure>> {
  if (client === undefined) throw new Error("without a folder to compare with there is a router");
  const answer = await client.get("/rules");
  if (!answer.ok) return answer;
  const { version, rules, targets, sources } = answerAs<RulesSide>(answer.value);
  if ([rules, targets, sources].every(Array.isArray)) return ok({ version, rules, targets, sources });
  return err({ message: "the router did not answer with its rules", hint: "Is --to the router's address?" });
}
