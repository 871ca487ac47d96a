/** The cost model in lines for people. */
import { tableLines } from "../../bin/table.ts";
import type { Terminal } from "../../bin/terminal.ts";
import { SEGMENT_LIMITS } from "../../src/objects/segments.ts";
import { ANSWER_MS, COMMIT_MS, NETWORK_MS, TRICKLE_MS } from "./cost-load.ts";
import type { CostModel, Regime } from "./cost-model.ts";
import { CPU_MS } from "./cost-model.ts";
import type { Peer } from "./cost-peers.ts";
import { peerDollars } from "./cost-peers.ts";
import type { Item, Usage } from "./cost-prices.ts";
import {
  EVENTS,
  ITEMS,
  LOG_PRICES,
  PLAN_DOLLARS,
  PRICES,
  PRICES_PAGES,
  PRICES_READ,
  dollarsByItem,
  eventsIncluded,
  monthDollars,
} from "./cost-prices.ts";

interface Row {
  readonly item: string;
  readonly price: string;
  readonly trickle: string;
  readonly trickleDollars: string;
  readonly load: string;
  readonly loadDollars: string;
  readonly from: string;
}

const FROM: Readonly<Record<Item, string>> = {
  workerRequests: "one an event",
  cpuMs: "assumed",
  objectRequests: "counted",
  objectGbSeconds: `counted calls, ${COMMIT_MS} ms each assumed`,
  rowsWritten: "counted",
  storedGbMonths: "bytes counted",
};

export function costLines(model: CostModel, terminal: Pick<Terminal, "width" | "paint">): readonly string[] {
  const { fanout, size, rate, logDays, isolates } = model.options;
  const { trickle, underLoad } = model;
  const through = isolates === 1 ? "one isolate" : `${isolates} isolates`;
  const columns = [
    { title: "of an event", value: ({ item }: Row) => item },
    { title: "$", value: ({ price }: Row) => price },
    { title: "trickle", value: (row: Row) => row.trickle },
    { title: "$ a million", value: (row: Row) => row.trickleDollars },
    { title: "load", value: (row: Row) => row.load },
    { title: "$ a million", value: (row: Row) => row.loadDollars },
    { title: "from", value: ({ from }: Row) => from, charsMin: 8 },
  ];
  return [
    `A million events of ${number(size)} bytes, each to ${targets(fanout)}, kept ${logDays} days. US dollars, nothing included.`,
    `trickle: each event alone, its alarm its own. load: ${rate} events/s in the partition, through ${through}.`,
    "",
    ...tableLines(rowsOf(trickle, underLoad), columns, terminal),
    ...goalLines(trickle, underLoad),
    "",
    terminal.paint("bold", "A month on Workers Paid"),
    ...planLines(trickle, underLoad),
    "",
    terminal.paint("bold", "How it was counted"),
    ...howLines(model),
    "",
    terminal.paint("bold", "Others, by their list prices, for the same million events"),
    ...model.peers.flatMap((peer) => peerLines(peer)),
  ];
}

function rowsOf(trickle: Regime, load: Regime): readonly Row[] {
  const [trickleDollars, loadDollars] = [dollarsByItem(trickle.usage), dollarsByItem(load.usage)];
  const item = (name: Item): Row => ({
    item: PRICES[name].title,
    price: PRICES[name].shown,
    trickle: amount(name, trickle.usage),
    trickleDollars: money(trickleDollars[name]),
    load: amount(name, load.usage),
    loadDollars: money(loadDollars[name]),
    from: FROM[name],
  });
  const part = (title: string, read: (regime: Regime) => number): Row => ({
    item: `  ${title}`,
    price: "",
    trickle: short(read(trickle)),
    trickleDollars: "",
    load: short(read(load)),
    loadDollars: "",
    from: "counted",
  });
  return [
    item("workerRequests"),
    item("cpuMs"),
    item("objectRequests"),
    part("accepts", ({ counted }) => counted.accepts),
    part("settles", ({ counted }) => counted.settles),
    part("alarms", ({ counted }) => counted.alarms),
    item("objectGbSeconds"),
    item("rowsWritten"),
    part("alarms set", ({ counted }) => counted.alarmsSet),
    item("storedGbMonths"),
    part("bytes", ({ counted }) => counted.storedBytes),
    {
      item: "together",
      price: "",
      trickle: "",
      trickleDollars: money(trickle.dollars),
      load: "",
      loadDollars: money(load.dollars),
      from: "",
    },
  ];
}

function goalLines(trickle: Regime, load: Regime): readonly string[] {
  const goals = [
    { name: "a trickle", regime: trickle },
    { name: "load", regime: load },
  ].flatMap(({ name, regime: { dollars, goalDollars } }) =>
    goalDollars === undefined
      ? []
      : [`at most ${money(goalDollars)} for ${name}: ${dollars <= goalDollars ? "held" : "missed"}`],
  );
  return goals.length === 0 ? [] : ["", `Goal: ${goals.join("; ")}.`];
}

function planLines(trickle: Regime, load: Regime): readonly string[] {
  const covers = ({ usage }: Regime) =>
    ITEMS.map((item) => ({ item, events: eventsIncluded(usage, item) }))
      .filter(({ events }) => Number.isFinite(events))
      .toSorted((a, b) => a.events - b.events)
      .map(({ item, events }) => `${PRICES[item].title} ${number(Math.floor(events))}`)
      .join("; ");
  const months = ({ usage }: Regime) =>
    [1, 10, 100].map((millions) => `${millions} M events $${money(monthDollars(usage, millions * EVENTS))}`).join(", ");
  return [
    `The plan is $${PLAN_DOLLARS} a month for the account. Its parts cover so many events a month, the scarcest first:`,
    `  trickle: ${covers(trickle)}`,
    `  load:    ${covers(load)}`,
    "So a month costs, the plan with it:",
    `  trickle: ${months(trickle)}`,
    `  load:    ${months(load)}`,
  ];
}

function howLines({ options: { rate, logDays }, trickle, underLoad }: CostModel): readonly string[] {
  const { logBytesMax } = SEGMENT_LIMITS;
  const bytes = underLoad.counted.storedBytes;
  const fits = Math.floor(logBytesMax / bytes);
  const { counted } = trickle;
  const invocations = 1 + counted.accepts + counted.settles + counted.alarms;
  const byLine = (counted.logLines + invocations) * LOG_PRICES.dollarsPerLine * EVENTS;
  const byGb = (counted.logBytes / 1e9) * LOG_PRICES.dollarsPerGb * EVENTS;
  return [
    `counted   ${number(trickle.counted.events)} and ${number(underLoad.counted.events)} signed GitHub webhooks through source, publish, partition and dispatch on simulated time;`,
    `          the partition's own code took ${counted.engineMs.toFixed(2)} and ${underLoad.counted.engineMs.toFixed(2)} ms an event here, over SQLite in memory (in the ${COMMIT_MS} ms)`,
    `assumed   CPU ${CPU_MS.event} ms an event and ${CPU_MS.request} ms a request to a target; an object is awake ${COMMIT_MS} ms for a call, until its commit is replicated,`,
    `          and calls that overlap are billed once; ${NETWORK_MS} ms from a Worker to it and back again; a target answers in ${ANSWER_MS} ms, 200;`,
    `          ${TRICKLE_MS / 1_000} s between the events of a trickle. An idle object that may hibernate is not billed`,
    `prices    ${PRICES_PAGES.join(", ")}, copies of ${PRICES_READ}`,
    `log       all ${logDays} days are reckoned. A partition keeps 1 GiB at most, which is $${money((logBytesMax / 1e9) * PRICES.storedGbMonths.dollars)} a month: ${number(fits)} such events,`,
    `          which come in ${duration(fits / rate)} at ${rate}/s`,
    `not in it Workers Logs, as wrangler.toml has them on: ${short(counted.logLines)} lines of ${short(counted.logLines === 0 ? 0 : counted.logBytes / counted.logLines)} bytes an event and one of each of ${invocations} invocations,`,
    `          at most $${money(byLine)} a million beyond ${LOG_PRICES.linesIncluded / EVENTS} million lines a month; from ${LOG_PRICES.byGbFrom} on by bytes, $${money(byGb)} for ours beyond ${LOG_PRICES.gbIncluded} GB (read ${LOG_PRICES.read});`,
    "          retries; the sweep, 4 calls an hour and partition; rows read (25 billion included); egress, which is free",
  ];
}

function peerLines(peer: Peer): readonly string[] {
  return [
    `${peer.name}: $${money(peerDollars(peer))}, and a month $${peer.monthly}`,
    ...peer.parts.map(({ what, dollars }) => `  ${money(dollars).padStart(7)}  ${what}`),
    ...peer.notes.map((note) => `  note     ${note}`),
    ...peer.sources.map((source) => `  source   ${source}`),
  ];
}

function amount(item: Item, usage: Usage): string {
  switch (item) {
    case "objectGbSeconds":
    case "storedGbMonths":
      return usage[item].toExponential(2);
    case "workerRequests":
    case "cpuMs":
    case "objectRequests":
    case "rowsWritten":
      return short(usage[item]);
  }
}

function money(dollars: number): string {
  return dollars.toFixed(2);
}

/** At most three decimals. */
function short(value: number): string {
  return value >= 1_000 ? number(Math.round(value)) : String(Number(value.toFixed(3)));
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function targets(count: number): string {
  return count === 1 ? "one target" : `${count} targets`;
}

function duration(seconds: number): string {
  if (seconds < 5_400) return `${Math.max(1, Math.round(seconds / 60))} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
