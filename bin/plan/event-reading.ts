/** Events on their way to a plan, batch by batch: from a router's log, or from files. */
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeUtf8 } from "../../src/core/event.ts";
import { elementSpans, memberSpans } from "../../src/core/json.ts";
import type { PlanEvent } from "../../src/core/plan.ts";
import type { Result } from "../../src/core/result.ts";
import { err, ok } from "../../src/core/result.ts";
import type { AdminClient } from "../admin-client.ts";
import type { Failure } from "../failure.ts";
import { readInputFile } from "../json-file.ts";
import { readLines } from "../ndjson.ts";
import { printable } from "../terminal.ts";
import type { EntryDefaults } from "./log-entry.ts";
import { readLogEntry } from "./log-entry.ts";

/** What a page of the log shows at most: LOG_PAGE_EVENTS_MAX of src/http/admin-log.ts. */
const PAGE_EVENTS_MAX = 1_000;

export interface EventReading {
  readonly batches: AsyncIterable<readonly PlanEvent[]>;
  /** Why it ended too early; asked when it has ended. */
  readonly failure: () => Failure | undefined;
  /** There were more events than were asked for. */
  readonly hasMore: () => boolean;
  /** How many of the log's events have a large payload, which the log does not hold: they are left out. */
  readonly leftOut: () => number;
}

interface Batch {
  readonly events: readonly PlanEvent[];
  /** The events' texts as they came, for who keeps them. */
  readonly texts: readonly string[];
  readonly leftOut?: number;
}

interface Limits {
  readonly last: number;
  /** Milliseconds. */
  readonly now: number;
}

export interface LogQuery extends Limits {
  readonly type?: string | undefined;
  readonly since?: string | undefined;
  /** A file that gets every event, a line each. */
  readonly save?: string | undefined;
}

/** The newest events of a router, newest first. */
export function readLog(client: AdminClient, { last, now, type, since, save }: LogQuery): EventReading {
  return readingOf(last, save, async function* pages() {
    let cursor: string | undefined;
    for (let left = last; left > 0;) {
      const limit = String(Math.min(left, PAGE_EVENTS_MAX));
      const answer = await client.getText("/log", { limit, cursor, type, since });
      if (!answer.ok) return yield answer;
      const page = readPage(answer.value, now);
      if (!page.ok) return yield page;
      left -= page.value.events.length + page.value.leftOut;
      yield page;
      if (page.value.next === null) return undefined;
      cursor = page.value.next;
    }
    return undefined;
  });
}

function readPage(
  text: string,
  now: number,
): Result<Batch & { readonly leftOut: number; readonly next: string | null }, Failure> {
  const wrong = (detail: string) => err({ message: `the router's log can't be read: ${printable(detail)}` });
  const member = (name: string) => memberSpans(text).findLast((each) => each.name === name);
  const [list, next] = [member("events"), member("next")];
  if (list === undefined || next === undefined || text[list.start] !== "[") return wrong("it has no events");
  const cursor = JSON.parse(text.slice(next.start, next.end)) as unknown;
  if (typeof cursor !== "string" && cursor !== null) return wrong("it has no place to go on from");
  const [events, texts]: [PlanEvent[], string[]] = [[], []];
  let leftOut = 0;
  for (const { start, end } of elementSpans(text, list.start)) {
    const entry = text.slice(start, end);
    const event = readLogEntry(entry, { name: "", bus: "", now });
    if (!event.ok) return wrong(event.error);
    if (event.value === "large") leftOut += 1;
    else {
      events.push(event.value);
      texts.push(entry);
    }
  }
  return ok({ events, texts, leftOut, next: cursor });
}

export interface FilesQuery extends Limits {
  /** The bus of events that don't say it. */
  readonly bus: string;
}

/** The events of a folder's `.json` and `.ndjson` files in the order of their names, or of one such file. */
export async function readEventFiles(
  path: string,
  { last, now, bus }: FilesQuery,
): Promise<Result<EventReading, Failure>> {
  const files = await listEventFiles(path);
  if (!files.ok) return files;
  return ok(
    readingOf(last, undefined, async function* each() {
      for (const file of files.value) {
        const name = basename(file);
        if (file.endsWith(".json")) yield await readJsonFile(file, { name, bus, now });
        else yield* readNdjsonFile(file, { name, bus, now });
      }
    }),
  );
}

async function listEventFiles(path: string): Promise<Result<readonly string[], Failure>> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    const names = isFolder ? (await readdir(path)).toSorted() : [path];
    const files = names.filter((name) => /\.(?:json|ndjson)$/.test(name));
    if (files.length > 0) return ok(isFolder ? files.map((name) => join(path, name)) : files);
    return err({
      message: isFolder
        ? `--events: ${path} has no .json or .ndjson files`
        : `--events: ${path} is no .json or .ndjson`,
      hint: "A .json file holds one CloudEvent in the JSON format, a .ndjson file one in each line.",
    });
  } catch (error) {
    return err({ message: `--events: ${path} can't be read (${codeOf(error)})` });
  }
}

async function readJsonFile(file: string, defaults: EntryDefaults): Promise<Result<Batch, Failure>> {
  const bytes = await readInputFile("--events", file);
  if (!bytes.ok) return bytes;
  const text = decodeUtf8(bytes.value);
  const event = text === null ? err("it is not UTF-8 text") : readLogEntry(text, defaults);
  if (!event.ok) return err({ message: printable(`${file}: ${event.error}`) });
  return ok(event.value === "large" ? { events: [], texts: [], leftOut: 1 } : { events: [event.value], texts: [] });
}

async function* readNdjsonFile(file: string, defaults: EntryDefaults): AsyncGenerator<Result<Batch, Failure>> {
  let lineNumber = 0;
  try {
    for await (const lines of readLines(createReadStream(file))) {
      const events: PlanEvent[] = [];
      let leftOut = 0;
      for (const line of lines) {
        lineNumber += 1;
        if ("text" in line && line.text.trim() === "") continue;
        const name = `${defaults.name}:${lineNumber}`;
        const event = "wrong" in line ? err(line.wrong) : readLogEntry(line.text, { ...defaults, name });
        if (!event.ok) {
          if (events.length > 0) yield ok({ events, texts: [] });
          return yield err({ message: printable(`${file}:${lineNumber}: ${event.error}`) });
        }
        if (event.value === "large") leftOut += 1;
        else events.push(event.value);
      }
      yield ok({ events, texts: [], leftOut });
    }
  } catch (error) {
    yield err({ message: `--events: ${file} can't be read (${codeOf(error)})` });
  }
  return undefined;
}

/** Ends after `last` events, or with the first failure. */
function readingOf(
  last: number,
  save: string | undefined,
  read: () => AsyncGenerator<Result<Batch, Failure>>,
): EventReading {
  let failure: Failure | undefined;
  let hasMore = false;
  let leftOut = 0;
  async function* batches(): AsyncGenerator<readonly PlanEvent[]> {
    let left = last;
    const file = save === undefined ? undefined : await openSaved(save);
    if (file?.ok === false) failure = file.error;
    if (file?.ok === false) return;
    try {
      for await (const batch of read()) {
        if (!batch.ok) failure = batch.error;
        if (!batch.ok) return;
        const { events, texts } = batch.value;
        leftOut += batch.value.leftOut ?? 0;
        const wanted = events.slice(0, left);
        await file?.value.appendFile(texts.slice(0, left).map(savedLine).join(""));
        left -= wanted.length;
        hasMore = events.length > wanted.length;
        if (wanted.length > 0) yield wanted;
        if (hasMore) return;
      }
    } finally {
      await file?.value.close();
    }
  }
  return { batches: batches(), failure: () => failure, hasMore: () => hasMore, leftOut: () => leftOut };
}

async function openSaved(path: string) {
  try {
    return ok(await open(path, "w"));
  } catch (error) {
    return err({ message: `--save: ${path} can't be written (${codeOf(error)})` });
  }
}

/** In JSON text a line break can stand only between tokens, where a space says the same. */
function savedLine(entry: string): string {
  return `${entry.replaceAll(/[\n\r]+/g, " ")}\n`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
