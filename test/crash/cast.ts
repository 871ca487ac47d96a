/** Who plays in a crash test: the targets with their faults, and the rules that lead to them. */
import { createChance } from "../simulation/chance.ts";
import type { CrashRunOptions } from "./crash-run.ts";
import type { Faults, FaultyTarget } from "./faulty-target.ts";
import { startFaultyTarget } from "./faulty-target.ts";
import type { TargetsOf } from "./load.ts";

/** Of ordered events: each is a lane of every ordered rule. */
export const REPOSITORIES: readonly number[] = [7_001, 7_002, 7_003, 7_004];
export const ORDERED_TARGETS: readonly string[] = ["blocking", "skipping"];

/** Sluice's first wait after a timeout is a minute, whatever the schedule: only a long run should have such retries. */
const RETRIED_HANGS = 0.005;

type Options = Pick<CrashRunOptions, "hangs" | "unordered" | "seed">;

interface Part {
  readonly name: string;
  readonly faults: Partial<Faults>;
  /** Less the URL. */
  readonly entry: string;
}

/**
 * Ordered targets never hang: a request that timed out may still arrive after its successor, and nobody promises otherwise.
 * Nor do they refuse for good, which ends a delivery whatever its rule says of failures.
 */
function partsOf({ hangs }: Options): readonly Part[] {
  const hang = hangs ? RETRIED_HANGS : 0;
  return [
    { name: "steady", faults: {}, entry: "retry: [1s, 1s, 2s, 2s, 2s]" },
    {
      name: "flaky",
      faults: { hang, status500: 0.08, status503: 0.04, status422: 0.02, reset: 0.08, cut: 0.04, slow: 0.1 },
      entry: "retry: [1s, 1s, 1s, 1s, 1s, 2s, 2s, 2s, 2s, 2s, 2s, 2s]",
    },
    { name: "blocking", faults: { status500: 0.03, reset: 0.02, cut: 0.01, slow: 0.05 }, entry: "retry: [1s]" },
    { name: "skipping", faults: { status500: 0.15, reset: 0.05, slow: 0.05 }, entry: "retry: [1s, 1s, 1s]" },
    ...(hangs
      ? [
          {
            name: "hanging",
            faults: { hang: 0.05, stall: 0.05, status500: 0.05, slow: 0.1 },
            entry: "retry: none",
          },
        ]
      : []),
  ];
}

export function startTargets(options: Options): Promise<readonly FaultyTarget[]> {
  const parts = partsOf(options);
  return Promise.all(
    parts.map(({ name, faults }, index) => startFaultyTarget(name, faults, createChance(options.seed + 1 + index))),
  );
}

export function ruleFiles(targets: readonly FaultyTarget[], options: Options): Readonly<Record<string, string>> {
  const entries = partsOf(options).map(
    ({ name, entry }) =>
      `${name}: { http: "${targets.find((target) => target.name === name)?.url}", timeout: 1s, ${entry} }\n`,
  );
  const ordered = (target: string, onFailure: string): string =>
    [
      `pattern: { type: [com.github.push], data: { repository: { id: [${REPOSITORIES.join(", ")}] } } }`,
      `targets: [${target}]`,
      ...(options.unordered ? [] : ["order: key", `on_failure: ${onFailure}`]),
      "",
    ].join("\n");
  return {
    "sources.yaml": "github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }\n",
    "targets.yaml": entries.join(""),
    "default/all.yaml": "pattern: { type: [{ prefix: com.github. }] }\ntargets: [steady, flaky]\n",
    "default/blocking.yaml": ordered("blocking", "block"),
    "default/skipping.yaml": ordered("skipping", "{ skip-after: 2 }"),
    ...(options.hangs
      ? { "default/issues.yaml": "pattern: { type: [{ prefix: com.github.issue }] }\ntargets: [hanging]\n" }
      : {}),
  };
}

/** What `ruleFiles` says, said a second time, so that Sluice's matching is not its own witness. */
export function targetsOf({ hangs }: Options): TargetsOf {
  return (event, ordered) => [
    "steady",
    "flaky",
    ...(ordered ? ORDERED_TARGETS : []),
    ...(hangs && event.startsWith("issue") ? ["hanging"] : []),
  ];
}
