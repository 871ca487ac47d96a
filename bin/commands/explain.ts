/** `sluice explain`: what the rules do with one event, and why. Needs no router but for an event that one has accepted. */
import type { Explanation } from "../../src/core/explain.ts";
import { explainEvent } from "../../src/core/explain.ts";
import { unknownName } from "../../src/core/read-object.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import { connectAdmin } from "../admin-client.ts";
import { chooseEvent } from "../chosen-event.ts";
import type { ExitCode, Failure } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import { checkRules, rulesFailure, sayProblems } from "../rules-check.ts";
import { explanationLines } from "../shown-explanation.ts";
import { answerAs } from "../shown-delivery.ts";
import type { Terminal } from "../terminal.ts";

export interface ExplainOptions {
  readonly github?: string;
  readonly action?: string;
  /** 1 is the first. */
  readonly example?: number;
  readonly bus?: string;
  readonly rule?: string;
  readonly rules: string;
  readonly to: string;
  readonly full?: boolean;
  readonly json?: boolean;
}

/** `given`: a file, `-`, or a receipt; undefined for standard input or a published example. */
export async function explain(
  given: string | undefined,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (given?.startsWith("evt_") === true) return explainAccepted(given, options, terminal);
  const chosen = await chooseEvent({ ...options, file: given }, Date.now(), terminal);
  if (!chosen.ok) return terminal.fail(chosen.error);
  const { problems, ruleSet } = await checkRules(options.rules, false);
  if (ruleSet === undefined) {
    sayProblems(problems, terminal);
    return terminal.fail(rulesFailure(options.rules, problems));
  }
  const { bus, rule } = options;
  const unknown = unknownChoice(bus, rule, ruleSet);
  if (unknown !== undefined) return terminal.fail(unknown);
  const explained = { ...chosen.value, bus: bus ?? null, acceptedAt: Date.now() };
  const explanation = await explainEvent(ruleSet, explained, {
    // As it is when it is deployed: `npm start` explains its own events by their receipts.
    local: undefined,
    ...(rule === undefined ? {} : { rule }),
  });
  return show(explanation, options, terminal);
}

async function explainAccepted(receipt: string, options: ExplainOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.github !== undefined || options.bus !== undefined) {
    const message = "--github and --bus belong to an event from a file; an accepted one has both already";
    return terminal.fail({ message, isUsage: true });
  }
  const client = await connectAdmin(options.to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get(`/explain/${encodeURIComponent(receipt)}`, { rule: options.rule });
  if (!answer.ok) return terminal.fail(answer.error);
  return show(answerAs<Explanation>(answer.value), options, terminal);
}

function unknownChoice(bus: string | undefined, rule: string | undefined, ruleSet: RuleSet): Failure | undefined {
  if (bus !== undefined && !ruleSet.buses.includes(bus)) {
    return { message: unknownName("bus", bus, ruleSet.buses), isUsage: true };
  }
  const rules = ruleSet.rules
    .map(({ definition }) => definition)
    .filter((each) => bus === undefined || each.bus === bus);
  const known = rules.map(({ path }) => path);
  if (rule === undefined || known.includes(rule)) return undefined;
  return { message: unknownName(bus === undefined ? "rule" : `rule of bus ${bus}`, rule, known), isUsage: true };
}

function show(explanation: Explanation, options: ExplainOptions, terminal: Terminal): ExitCode {
  if (options.json === true) terminal.print(JSON.stringify(explanation));
  else {
    const lines = explanationLines(explanation, { full: options.full === true }, terminal);
    for (const line of lines) terminal.print(line);
  }
  return EXIT_OK;
}
