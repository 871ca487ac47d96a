/** `sluice match`: whether events meet patterns. Needs no router. */
import { matchesPattern } from "../../src/core/matcher.ts";
import type { Pattern } from "../../src/core/pattern.ts";
import { parsePattern, parsePatternText } from "../../src/core/pattern.ts";
import type { Json, JsonObject, Mistake, Result } from "../../src/core/result.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "../failure.ts";
import { readJsonInput, ruleMember } from "../json-file.ts";
import { sayMistakes } from "../mistakes.ts";
import { answerLines } from "../ndjson.ts";
import { describeMistakes, readEventMember, readRequestLine } from "../request-line.ts";
import type { Terminal } from "../terminal.ts";

export interface MatchOptions {
  readonly pattern?: string;
  readonly event?: string;
  readonly json?: boolean;
}

type MatchAnswer = { readonly result: "match" | "no-match" } | { readonly result: "invalid"; readonly error: string };

export async function match(options: MatchOptions, terminal: Terminal): Promise<ExitCode> {
  const { pattern, event } = options;
  if (pattern !== undefined && event !== undefined) return matchOne(pattern, event, options.json === true, terminal);
  if (pattern !== undefined || event !== undefined) {
    const message = `expected --pattern and --event together, found only --${pattern === undefined ? "event" : "pattern"}`;
    return terminal.fail({ message, isUsage: true });
  }
  if (terminal.stdinIsTerminal) {
    const message = "expected --pattern and --event, or lines of JSON on standard input";
    return terminal.fail({ message, hint: "See: sluice match --help", isUsage: true });
  }
  const matchLine = createLineMatcher();
  await answerLines(
    terminal,
    (text) => JSON.stringify(matchLine(text)),
    (error) => JSON.stringify(invalid(error)),
  );
  return EXIT_OK;
}

/** Answers one line after another, and keeps the last pattern: files of cases often repeat it. */
function createLineMatcher(): (text: string) => MatchAnswer {
  let known: { readonly text: string; readonly parsed: Result<Pattern, readonly Mistake[]> } | undefined;
  const parse = (pattern: Json): Result<Pattern, readonly Mistake[]> => {
    if (typeof pattern !== "string") return parsePattern(pattern);
    if (known?.text !== pattern) known = { text: pattern, parsed: parsePatternText(pattern) };
    return known.parsed;
  };
  return (text) => {
    const line = readRequestLine(text, ["pattern", "event"]);
    if (!line.ok) return invalid(line.error);
    const pattern = parse(line.value.pattern);
    if (!pattern.ok) return invalid(describeMistakes("pattern", pattern.error));
    const event = readEventMember(line.value.event);
    return event.ok ? answer(pattern.value, event.value) : invalid(event.error);
  };
}

function answer(pattern: Pattern, event: JsonObject): MatchAnswer {
  return { result: matchesPattern(pattern, event) ? "match" : "no-match" };
}

function invalid(error: string): MatchAnswer {
  return { result: "invalid", error };
}

async function matchOne(
  patternGiven: string,
  eventGiven: string,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const [patternInput, eventInput] = [
    await readJsonInput("--pattern", patternGiven),
    await readJsonInput("--event", eventGiven),
  ];
  const answered = (given: MatchAnswer): ExitCode => {
    if (json) terminal.print(JSON.stringify(given));
    else if (given.result === "invalid") return terminal.fail({ message: given.error });
    else terminal.print(terminal.paint(given.result === "match" ? "green" : "yellow", given.result));
    return given.result === "invalid" ? EXIT_FAILURE : EXIT_OK;
  };
  if (!patternInput.ok) return answered(invalid(patternInput.error.message));
  if (!eventInput.ok) return answered(invalid(eventInput.error.message));
  const member = ruleMember(patternInput.value.value, "pattern");
  const pattern = parsePattern(member.value);
  if (!pattern.ok) {
    if (json) return answered(invalid(describeMistakes("pattern", pattern.error)));
    return sayMistakes("--pattern", patternInput.value, member.isRule ? ["pattern"] : [], pattern.error, terminal);
  }
  const event = readEventMember(eventInput.value.value);
  return answered(event.ok ? answer(pattern.value, event.value) : invalid(event.error));
}
