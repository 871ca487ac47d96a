/** An explanation for people: what matched with its requests first, then each other rule with one line of why not. */
import type { ExplainedDelivery, ExplainedRequest, ExplainedRule, Explanation } from "../src/core/explain.ts";
import type { MetField } from "../src/core/explain-match.ts";
import type { Terminal } from "./terminal.ts";
import { printable } from "./terminal.ts";

/** Of each body, this much is shown unless all is asked for. */
export const BODY_CHARS_MAX = 600;

export interface ShowOptions {
  /** Whole bodies. */
  readonly full: boolean;
}

type Matched = ExplainedRule & { readonly matched: true };
type Unmatched = ExplainedRule & { readonly matched: false };

export function explanationLines(
  explanation: Explanation,
  options: ShowOptions,
  { paint }: Pick<Terminal, "paint">,
): readonly string[] {
  const { event, receipt, bus, rules } = explanation;
  const field = (name: string, value: string): string => `${paint("dim", name.padEnd(9))}${printable(value)}`;
  const matched = rules.filter((rule): rule is Matched => rule.matched);
  const others = rules.filter((rule): rule is Unmatched => !rule.matched);
  const where = bus === null ? "" : ` of bus ${bus}`;
  return [
    ...(receipt === undefined ? [] : [field("receipt", receipt)]),
    field("event", `${event.type}, id ${event.id}, source ${event.source}`),
    field("matched", `${matched.length} of ${rules.length} ${rules.length === 1 ? "rule" : "rules"}${where}`),
    ...matched.flatMap((rule) => ["", ...matchedLines(rule, options, paint)]),
    ...(others.length === 0 ? [] : [""]),
    ...others.map(({ rule, mode, reason }) => {
      const isOff = mode === "live" ? "" : ` (${mode})`;
      return `${printable(rule)}${isOff} ${paint("yellow", "does not match:")} ${printable(reason.text)}`;
    }),
  ];
}

function matchedLines({ rule, mode, fields, deliveries }: Matched, options: ShowOptions, paint: Terminal["paint"]) {
  const verdict = {
    live: "matches:",
    shadow: "matches, but its mode is shadow, so nothing of this is sent:",
    off: "would match, but its mode is off:",
  }[mode];
  const why = fields.map(describeField).join("; ");
  return [
    `${paint("bold", printable(rule))} ${paint(mode === "live" ? "green" : "yellow", verdict)} ${printable(why)}`,
    ...deliveries.flatMap((delivery) => deliveryLines(delivery, options, paint)),
  ];
}

function describeField({ path, found, by }: MetField): string {
  if (found === "no such field") return `there is no ${path}`;
  return by.length === 1 && by[0] === found ? `${path} is ${found}` : `${path} is ${found} (${by.join(", ")})`;
}

function deliveryLines(
  { target, request, problem }: ExplainedDelivery,
  options: ShowOptions,
  paint: Terminal["paint"],
) {
  const action = request === undefined ? "" : `: ${request.action}`;
  const warning = problem === undefined ? [] : [`    ${paint("red", "not sent:")} ${printable(problem)}`];
  return [
    `  ${paint("cyan", printable(`${target}${action}`))}`,
    ...warning,
    ...(request === undefined ? [] : requestLines(request, options, paint)),
  ];
}

function requestLines(request: ExplainedRequest, { full }: ShowOptions, paint: Terminal["paint"]): readonly string[] {
  const { headers, body, bodyBase64, bodyBytes, bodyLeftOut } = request;
  const indented = (text: string): string => `    ${text}`;
  const headerLines = Object.entries(headers).map(([name, value]) => indented(printable(`${name}: ${value}`)));
  if (bodyLeftOut === true) {
    return [
      ...headerLines,
      indented(paint("dim", `(a body of ${bodyBytes} bytes, too much to show beside the others)`)),
    ];
  }
  const text = body ?? bodyBase64;
  if (text === undefined) return [...headerLines, indented(paint("dim", "(no body)"))];
  const isCut = !full && text.length > BODY_CHARS_MAX;
  const shown = isCut ? text.slice(0, BODY_CHARS_MAX) : text;
  const gap = headerLines.length === 0 ? [] : [""];
  return [
    ...headerLines,
    ...gap,
    ...(body === undefined ? [indented(paint("dim", `(${bodyBytes} bytes that are not text, in Base64)`))] : []),
    ...shown.split("\n").map((line) => indented(printable(line))),
    ...(isCut ? [indented(paint("dim", `… ${text.length - shown.length} characters more: --full shows all`))] : []),
  ];
}
