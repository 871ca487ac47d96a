/** Cloudflare's prices, and what a million events cost by them. */

/** What one event uses, on average. */
export interface Usage {
  readonly workerRequests: number;
  /** Of Workers; what an object computes is in its duration. */
  readonly cpuMs: number;
  /** Calls to objects, alarms included. */
  readonly objectRequests: number;
  readonly objectGbSeconds: number;
  /** Rows written, deleted and changed, and one for each alarm that is set. */
  readonly rowsWritten: number;
  readonly storedGbMonths: number;
}

export type Item = keyof Usage;

export interface Price {
  readonly title: string;
  /** US dollars for one. */
  readonly dollars: number;
  /** The same as people say it. */
  readonly shown: string;
  /** What Workers Paid includes each month. */
  readonly included: number;
}

export const EVENTS = 1_000_000;
export const PRICES_READ = "2026-08-28";
export const PRICES_PAGES = [
  "developers.cloudflare.com/workers/platform/pricing",
  "developers.cloudflare.com/durable-objects/platform/pricing",
] as const;
/** Workers Paid, US dollars a month for the whole account. */
export const PLAN_DOLLARS = 5;
/** An object is billed for this much memory, whatever it uses. */
export const OBJECT_GB = 0.128;

/** Beyond what the plan includes. An object that is idle and could hibernate is not billed for duration. */
export const PRICES: Readonly<Record<Item, Price>> = {
  workerRequests: price("Worker requests", 0.3, "million", 10 * EVENTS),
  cpuMs: price("CPU, ms", 0.02, "million", 30 * EVENTS),
  objectRequests: price("object requests", 0.15, "million", EVENTS),
  objectGbSeconds: price("object duration, GB-s", 12.5, "million", 400_000),
  rowsWritten: price("rows written", 1, "million", 50 * EVENTS),
  storedGbMonths: price("log stored, GB-months", 0.2, "one", 5),
};

/** Workers Logs, apart from the total: they can be sampled or switched off. developers.cloudflare.com/workers/observability. */
export const LOG_PRICES = {
  read: "2026-10-05",
  /** Until `byGbFrom` a line is billed, then its bytes. */
  dollarsPerLine: 0.6 / EVENTS,
  linesIncluded: 20 * EVENTS,
  byGbFrom: "2026-12-01",
  dollarsPerGb: 0.25,
  gbIncluded: 50,
} as const;

export const ITEMS = Object.keys(PRICES) as readonly Item[];

function price(title: string, dollars: number, unit: "million" | "one", included: number): Price {
  const each = unit === "million" ? dollars / EVENTS : dollars;
  return { title, dollars: each, shown: `${dollars.toFixed(2)} a ${unit === "one" ? "GB-month" : unit}`, included };
}

/** US dollars for a million events, by item, with nothing included. */
export function dollarsByItem(usage: Usage): Readonly<Record<Item, number>> {
  const dollars = ITEMS.map((item) => [item, PRICES[item].dollars * usage[item] * EVENTS] as const);
  return Object.fromEntries(dollars) as Record<Item, number>;
}

/** US dollars for a million events, with nothing included. */
export function dollarsOf(usage: Usage): number {
  const byItem = dollarsByItem(usage);
  return ITEMS.reduce((sum, item) => sum + byItem[item], 0);
}

/** Events a month that the plan's part of an item covers; infinite where an event uses nothing of it. */
export function eventsIncluded(usage: Usage, item: Item): number {
  return PRICES[item].included / usage[item];
}

/** US dollars for a month with so many events: the plan, and what goes beyond its parts. */
export function monthDollars(usage: Usage, events: number): number {
  const beyond = ITEMS.map((item) => Math.max(0, usage[item] * events - PRICES[item].included) * PRICES[item].dollars);
  return beyond.reduce((sum, each) => sum + each, PLAN_DOLLARS);
}

/** GB-months that are stored for one event: its bytes for so many days, in months of 30 days. */
export function gbMonths(bytes: number, days: number): number {
  return (bytes / 1e9) * (days / 30);
}
