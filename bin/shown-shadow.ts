/** What a shadow rule would have sent, as the admin API tells it and as people are shown it. */
import type { Json } from "../src/core/result.ts";
import type { Terminal } from "./terminal.ts";
import { printable } from "./terminal.ts";

export interface ShownShadow {
  /** The rule's path. */
  readonly rule: string;
  readonly targets: readonly string[];
  /** What its transform has made; absent without one. */
  readonly output?: string;
  /** How long that is in all, where only its beginning is kept. */
  readonly outputBytes?: number;
  readonly problem?: string;
}

/** One match in lines. Of what would have gone out, `charsMax` characters are shown. */
export function describeShadow(
  { targets, output, outputBytes, problem }: ShownShadow,
  charsMax: number,
  { paint }: Pick<Terminal, "paint">,
): readonly string[] {
  const names = printable(targets.join(", "));
  if (problem !== undefined) {
    return [`  ${paint("red", "nothing would have gone out")} to ${names}: ${printable(problem)}`];
  }
  if (output === undefined) return [`  to ${names}: the payload as it came`];
  if (output === "" && outputBytes !== undefined) {
    return [
      `  to ${names}: ${outputBytes} bytes, of which none is kept: the other shadow rules of this event have taken the room`,
    ];
  }
  const text = prettyJson(output);
  const notes = [
    ...(text.length > charsMax ? [`… ${text.length - charsMax} characters more: --json shows them`] : []),
    ...(outputBytes === undefined ? [] : [`… of ${outputBytes} bytes only the beginning is kept`]),
  ];
  return [
    `  to ${names}:`,
    ...text
      .slice(0, charsMax)
      .split("\n")
      .map((line) => `    ${printable(line)}`),
    ...notes.map((note) => `    ${paint("dim", note)}`),
  ];
}

/** What was cut is no JSON any more, and is shown as it is. */
function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text) as Json, null, 2);
  } catch {
    return text;
  }
}
