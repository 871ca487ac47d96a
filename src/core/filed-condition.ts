/** A condition as the indexes of values keep it: whom to tell when a value meets it. */
import type { ValueCondition } from "./alternative.ts";
import type { ValueTest } from "./value-test.ts";
import { compileCondition } from "./value-test.ts";

/** Told of each condition that a value meets, by the number that the condition was filed under. */
export type Hit = (target: number) => void;

/** One target, as most conditions have, or several. */
export type Targets = number | number[];

export interface FiledCondition {
  readonly condition: ValueCondition;
  targets: Targets;
  /** Compiled when a value first comes so far. */
  test: ValueTest | null;
}

/** Tells the targets when the text meets the condition. */
export function tryText(filed: FiledCondition, text: string, hit: Hit): void {
  filed.test ??= compileCondition(filed.condition);
  if (filed.test(text)) hitAll(filed.targets, hit);
}

export function addTarget(targets: Targets, target: number): Targets {
  if (typeof targets === "number") return [targets, target];
  targets.push(target);
  return targets;
}

export function hitAll(targets: Targets, hit: Hit): void {
  if (typeof targets === "number") hit(targets);
  else for (let at = 0; at < targets.length; at++) hit(targets[at] as number);
}
