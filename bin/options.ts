/** The options that several commands share, and how options are read. */
import { InvalidArgumentError, Option } from "commander";
import { isTimestamp } from "../src/core/timestamp.ts";
import { URL_DEFAULT } from "./admin-client.ts";

const PORT_MAX = 65_535;
/** Events that one plan looks at. */
export const PLAN_EVENTS_MAX = 10_000;
const RULES_DEFAULT = "rules";

export function toOption(): Option {
  return new Option("--to <url>", "the router's address").argParser(readUrl).default(URL_DEFAULT);
}

/** Without a default: for who must know whether it was given. */
export function givenToOption(description: string): Option {
  return new Option("--to <url>", description).argParser(readUrl);
}

export function rulesOption(): Option {
  return new Option("--rules <dir>", "folder with the rule files").default(RULES_DEFAULT);
}

export function jsonOption(): Option {
  return new Option("--json", "print JSON");
}

export function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`Expected a number from 0 to ${PORT_MAX}.`);
}

export function readCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a number from 1 on.");
}

export function readPercent(text: string): number {
  const percent = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (percent <= 100) return percent;
  throw new InvalidArgumentError("Expected a number from 0 to 100.");
}

export function readLast(text: string): number {
  const last = readCount(text);
  if (last <= PLAN_EVENTS_MAX) return last;
  throw new InvalidArgumentError(`Expected a number from 1 to ${PLAN_EVENTS_MAX}.`);
}

/** Milliseconds since the epoch. */
export function readMoment(text: string): number {
  if (isTimestamp(text)) return Date.parse(text);
  throw new InvalidArgumentError("Expected a time such as 2026-01-31T12:00:00Z.");
}

/** Collects `NAME=value` options. */
export function readVar(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Z][A-Z0-9_]{0,63})=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("Expected NAME=value.");
  return { ...before, [name]: value };
}

export function readSourceName(text: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(text)) return text;
  throw new InvalidArgumentError("Expected a source's name, such as github.");
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new InvalidArgumentError(`Expected an address such as ${URL_DEFAULT}.`);
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}
