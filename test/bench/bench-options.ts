/** How the benches read their options. */
import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { RUNTIMES } from "./bench-systems.ts";

export const SECONDS_MAX = 600;
export const ROUNDS_MAX = 50;
export const SENDERS_MAX = 512;

export interface LoadOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly senders: number;
  readonly json?: true;
}

/** The options of every bench that sends load. */
export function addLoadOptions(command: Command, { seconds, rounds }: { seconds: number; rounds: number }): Command {
  return command
    .addOption(number("--seconds <n>", "load of each round", SECONDS_MAX, seconds))
    .addOption(number("--rounds <n>", "rounds of each system, in turn", ROUNDS_MAX, rounds))
    .addOption(number("--senders <n>", "connections that each wait for their answer", SENDERS_MAX, 64))
    .addOption(new Option("--json", "print JSON"));
}

export function runtimeOption(): Option {
  return new Option("--runtime <name>", "what the Workers run on").choices(RUNTIMES).default("workerd");
}

export function number(flags: string, description: string, max: number, initial: number): Option {
  return new Option(flags, description).argParser((text) => readNumber(text, max)).default(initial);
}

export function readNumber(text: string, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw new InvalidArgumentError(`Expected a number from 1 to ${max}.`);
}
