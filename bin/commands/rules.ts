/** `sluice rules`: the rules that a router runs, with their version. */
import type { RuleDefinition, TargetLimits } from "../../src/core/rule.ts";
import { connectAdmin } from "../admin-client.ts";
import type { ExitCode } from "../failure.ts";
import { EXIT_OK } from "../failure.ts";
import { answerAs, shortTime } from "../shown-delivery.ts";
import { describeLimits } from "../shown-target.ts";
import { tableLines } from "../table.ts";
import type { Terminal } from "../terminal.ts";

export interface RulesOptions {
  readonly to: string;
  readonly json?: boolean;
}

interface RunningRules {
  readonly version: string;
  readonly deployedAt: string;
  readonly rules: readonly RuleDefinition[];
  readonly sources: readonly { readonly name: string; readonly kind: string; readonly bus: string }[];
  readonly targets: readonly { readonly name: string; readonly kind: string; readonly limits?: TargetLimits }[];
}

export async function rules({ to, json }: RulesOptions, terminal: Terminal): Promise<ExitCode> {
  const client = await connectAdmin(to, terminal.env);
  if (!client.ok) return terminal.fail(client.error);
  const answer = await client.value.get("/rules");
  if (!answer.ok) return terminal.fail(answer.error);
  if (json === true) {
    terminal.print(JSON.stringify(answer.value));
    return EXIT_OK;
  }
  const running = answerAs<RunningRules>(answer.value);
  terminal.print(`version ${running.version}, deployed ${shortTime(running.deployedAt)} UTC`);
  const tables = [
    tableLines(
      running.rules,
      [
        { title: "RULE", value: ({ path }) => path },
        { title: "MODE", value: ({ mode }) => mode },
        { title: "TARGETS", value: ({ targets }) => targets.join(", "), charsMin: 16 },
        { title: "DESCRIPTION", value: ({ description }) => description ?? "", charsMin: 16 },
      ],
      terminal,
    ),
    tableLines(
      running.sources,
      [
        { title: "SOURCE", value: ({ name }) => name },
        { title: "KIND", value: ({ kind }) => kind },
        { title: "BUS", value: ({ bus }) => bus },
      ],
      terminal,
    ),
    tableLines(
      running.targets,
      [
        { title: "TARGET", value: ({ name }) => name },
        { title: "KIND", value: ({ kind }) => kind },
        { title: "LIMITS", value: ({ limits }) => describeLimits(limits), charsMin: 10 },
      ],
      terminal,
    ),
  ];
  for (const line of tables.flatMap((lines) => ["", ...lines])) terminal.print(line);
  return EXIT_OK;
}
