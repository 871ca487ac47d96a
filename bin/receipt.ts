/** What a router answers to an event, shown to a person. */
import type { Json, Result } from "../src/core/result.ts";
import { isJsonObject, ownMember } from "../src/core/result.ts";
import type { Answer } from "./admin-client.ts";
import { URL_DEFAULT, describeRefusal } from "./admin-client.ts";
import type { ExitCode, Failure } from "./failure.ts";
import { EXIT_FAILURE, EXIT_OK } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { printable } from "./terminal.ts";

/** Prints the receipt, or says why there is none. */
export function showReceipt(
  answer: Result<Answer, Failure>,
  options: { readonly to: string; readonly json?: boolean },
  terminal: Terminal,
): ExitCode {
  if (!answer.ok) return terminal.fail(answer.error);
  const { status, body } = answer.value;
  if (options.json === true) {
    terminal.print(JSON.stringify(body));
    return status < 300 ? EXIT_OK : EXIT_FAILURE;
  }
  const id = textMember(body, "id");
  if (status >= 300 || id === undefined) return terminal.fail(describeRefusal(status, body, options.to));
  const outcome = textMember(body, "status") ?? "?";
  const rules = isJsonObject(body) ? ownMember(body, "rules") : undefined;
  const matched = Array.isArray(rules) ? rules.map((rule) => printable(String(rule))) : [];
  const field = (name: string, value: string): string => `${terminal.paint("dim", name.padEnd(9))}${value}`;
  terminal.print(field("receipt", printable(id)));
  terminal.print(field("status", terminal.paint(outcome === "accepted" ? "green" : "yellow", printable(outcome))));
  terminal.print(field("rules", matched.length === 0 ? "none matched" : matched.join(", ")));
  const to = options.to === URL_DEFAULT ? "" : ` --to ${options.to}`;
  terminal.say(terminal.tint("dim", `Its deliveries: npm run sluice -- event ${printable(id)}${to}`));
  return EXIT_OK;
}

function textMember(body: Json, name: string): string | undefined {
  const value = isJsonObject(body) ? ownMember(body, name) : undefined;
  return typeof value === "string" ? value : undefined;
}
