/** The Worker's log lines, which are JSON for machines, in a short form for a person who watches a local run. */
import type { Json, JsonObject } from "../../src/core/result.ts";
import { isJsonObject, ownMember } from "../../src/core/result.ts";
import { formatDuration } from "../../src/core/read-object.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../terminal.ts";

/** A line that isn't Sluice's own is passed on, up to this length. */
export const LINE_CHARS_MAX = 2_000;

export function describeLogLine(line: string, { tint }: Pick<Terminal, "tint">): string {
  const fields = parseFields(line);
  if (fields === undefined) return printable(line.slice(0, LINE_CHARS_MAX));
  const { message, ...rest } = fields;
  if (message === "delivery.attempted") return describeAttempt(rest, tint);
  const details = Object.entries(rest).map(([name, value]) => `${name}=${textOf(value)}`);
  return `${tint("yellow", printable(textOf(message ?? "log")))} ${printable(details.join(" ").slice(0, LINE_CHARS_MAX))}`.trimEnd();
}

function describeAttempt(fields: JsonObject, tint: Terminal["tint"]): string {
  const text = (name: string): string => printable(textOf(ownMember(fields, name) ?? "?"));
  const outcome = text("outcome");
  const status = ownMember(fields, "status");
  const reason = ownMember(fields, "reason");
  const delayMs = ownMember(fields, "delayMs");
  const answer = [
    ...(typeof status === "number" ? [`${status}`] : []),
    ...(typeof reason === "string" && !(reason === "status" && typeof status === "number") ? [printable(reason)] : []),
  ];
  const next =
    text("next") === "retry" && typeof delayMs === "number"
      ? `, again in ${formatDuration(Math.max(1, Math.round(delayMs / 1000)) * 1000)}`
      : text("next") === "dead"
        ? ", dead"
        : "";
  const attempt = text("attempt") === "1" ? "" : `, attempt ${text("attempt")}`;
  const style = outcome === "delivered" ? "green" : outcome === "retryable" ? "yellow" : "red";
  const word = outcome === "delivered" ? "✓ delivered" : "✗ failed";
  return `${tint(style, word)} ${text("rule")} → ${text("target")}: ${[...answer, `${text("durationMs")} ms`].join(", ")}${attempt}${next}`;
}

function parseFields(line: string): JsonObject | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as Json;
    return isJsonObject(value) && typeof ownMember(value, "message") === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
