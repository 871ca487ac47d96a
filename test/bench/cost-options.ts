/** What `npm run cost` is asked, and how that is read. */
import { Command, InvalidArgumentError, Option } from "commander";
import { BODY_BYTES_MAX } from "../../src/http/body.ts";

/** A GitHub webhook has at least a repository. */
export const SIZE_BYTES_MIN = 256;
/** Beyond it one event's requests fill a minute. */
export const FANOUT_MAX = 50;
/** Cloudflare puts an object that writes at 200 to 500 requests a second. */
export const RATE_MAX = 500;
export const LOG_DAYS_MAX = 14;
export const ISOLATES_MAX = 100;

export interface CostOptions {
  readonly fanout: number;
  /** Bytes of a body. */
  readonly size: number;
  /** Events a second in a partition. */
  readonly rate: number;
  readonly logDays: number;
  readonly isolates: number;
  readonly json?: true;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, B: 1, kB: 1e3, KB: 1e3, MB: 1e6, KiB: 1_024, MiB: 1_048_576 };

/** `10kB` or `10KB` are 10,000 bytes, `10KiB` 10,240; a number alone is bytes. */
export function readSize(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (digits === "" || factor === undefined) {
    const near = Object.keys(UNITS).find((name) => name.toLowerCase() === unit.toLowerCase());
    const meant = digits !== "" && near !== undefined ? ` Did you mean ${digits}${near}?` : "";
    throw new InvalidArgumentError(`Expected a size such as 10kB, 10KiB or 500B.${meant}`);
  }
  const bytes = Math.round(Number(digits) * factor);
  if (bytes >= SIZE_BYTES_MIN && bytes <= BODY_BYTES_MAX) return bytes;
  const why = bytes < SIZE_BYTES_MIN ? "" : " A larger body goes to R2, which this does not reckon.";
  throw new InvalidArgumentError(`Expected ${SIZE_BYTES_MIN}B to ${BODY_BYTES_MAX / 1_048_576}MiB.${why}`);
}

export function wholeFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

export function costCommand(): Command {
  return new Command("cost")
    .description(
      "What a million events cost on Cloudflare: rows, requests and bytes are counted on the real partition and dispatcher " +
        "on simulated time, once with each event alone and once under load. Next to it what others charge.",
    )
    .usage("[options]      (npm run cost -- [options])")
    .addOption(option("--fanout <targets>", "targets of each event", wholeFrom(0, FANOUT_MAX), 2))
    .addOption(option("--size <size>", "bytes of a body", readSize, 10_000, "10kB"))
    .addOption(option("--rate <events>", "events a second in a partition, under load", wholeFrom(1, RATE_MAX), 100))
    .addOption(option("--isolates <n>", "isolates that a partition's events come in by", wholeFrom(1, ISOLATES_MAX), 1))
    .addOption(option("--log-days <days>", "days that the log is kept", wholeFrom(0, LOG_DAYS_MAX), LOG_DAYS_MAX))
    .addOption(new Option("--json", "print JSON"))
    .allowExcessArguments(false)
    .addHelpText(
      "after",
      "\nExamples:\n" +
        "  npm run cost -- --fanout 2 --size 10kB\n" +
        "  npm run cost -- --fanout 1 --size 2KiB --rate 300 --log-days 3\n" +
        "  npm run -s cost -- --json | jq .underLoad.dollars\n",
    );
}

function option<Value>(
  flags: string,
  what: string,
  read: (text: string) => Value,
  value: Value,
  shown?: string,
): Option {
  return new Option(flags, what).argParser(read).default(value, shown);
}
