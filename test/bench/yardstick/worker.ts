/**
 * The yardstick: the least that a reliable webhook forwarder on this platform must do, written plainly. Verifies the HMAC, puts
 * a row that knows the delivery id and a row with the body into one transaction, answers 202; the object's alarm sends the rows,
 * six at a time, and deletes each when the target has answered 200. No rules, no log, no retry schedule, no way to look inside.
 *
 * Text bindings: SECRET, TARGET_URL, and GROUP_MS, how long the object gathers arrivals for one commit ("0": not at all).
 */
import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly OUTBOX: DurableObjectNamespace<Outbox>;
  readonly SECRET: string;
  readonly TARGET_URL: string;
  readonly GROUP_MS: string;
}

interface Arrival {
  readonly id: string;
  readonly body: ArrayBuffer;
}

interface Group {
  readonly arrivals: Arrival[];
  /** Whether each is new, in their order. */
  readonly stored: Promise<readonly boolean[]>;
}

interface Row {
  readonly [column: string]: SqlStorageValue;
  readonly seq: number;
  readonly id: string;
  readonly body: ArrayBuffer;
}

const FETCHES_AT_ONCE = 6;
/** Rows that one look into the outbox takes up. */
const ROWS_AT_ONCE = 60;
const FETCH_TIMEOUT_MS = 15_000;
const RETRY_MS = 5_000;
const PREFIX = "sha256=";

let importedKey: Promise<CryptoKey> | undefined;

export default {
  async fetch(request, env) {
    const id = request.headers.get("x-github-delivery");
    const signature = request.headers.get("x-hub-signature-256");
    if (id === null || signature?.startsWith(PREFIX) !== true) return new Response(null, { status: 400 });
    const body = await request.arrayBuffer();
    importedKey ??= importKey(env.SECRET);
    const mac = Uint8Array.from(Buffer.from(signature.slice(PREFIX.length), "hex"));
    if (!(await crypto.subtle.verify("HMAC", await importedKey, mac, body))) return new Response(null, { status: 401 });
    const isNew = await env.OUTBOX.get(env.OUTBOX.idFromName("one")).accept(id, body);
    return Response.json({ id, status: isNew ? "accepted" : "duplicate" }, { status: 202 });
  },
} satisfies ExportedHandler<Env>;

function importKey(secret: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

export class Outbox extends DurableObject<Env> {
  /** An alarm is set or running. */
  #isArmed = false;
  #group: Group | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID");
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, id TEXT, body BLOB)");
  }

  /** Whether it is new. The answer leaves the object when the rows are on disk. */
  async accept(id: string, body: ArrayBuffer): Promise<boolean> {
    const groupMs = Number(this.env.GROUP_MS);
    if (groupMs === 0) return this.#store([{ id, body }])[0] === true;
    this.#group ??= this.#openGroup(groupMs);
    const { arrivals, stored } = this.#group;
    const index = arrivals.push({ id, body }) - 1;
    return (await stored)[index] === true;
  }

  #openGroup(groupMs: number): Group {
    const arrivals: Arrival[] = [];
    const stored = new Promise<readonly boolean[]>((resolve) => {
      setTimeout(() => {
        this.#group = undefined;
        resolve(this.#store(arrivals));
      }, groupMs);
    });
    return { arrivals, stored };
  }

  #store(arrivals: readonly Arrival[]): readonly boolean[] {
    const { sql } = this.ctx.storage;
    const areNew = this.ctx.storage.transactionSync(() =>
      arrivals.map(({ id, body }) => {
        const isNew =
          sql.exec("INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1", id, Date.now()).toArray()
            .length > 0;
        if (isNew) sql.exec("INSERT INTO outbox (id, body) VALUES (?, ?)", id, body);
        return isNew;
      }),
    );
    if (!this.#isArmed) {
      this.#isArmed = true;
      void this.ctx.storage.setAlarm(Date.now());
    }
    return areNew;
  }

  override async alarm(): Promise<void> {
    this.#isArmed = true;
    const { sql } = this.ctx.storage;
    let failed = false;
    while (!failed) {
      const rows = sql.exec<Row>("SELECT * FROM outbox ORDER BY seq LIMIT ?", ROWS_AT_ONCE).toArray();
      if (rows.length === 0) break;
      const waiting = [...rows];
      const delivered: number[] = [];
      const lanes = Array.from({ length: FETCHES_AT_ONCE }, async () => {
        for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
          if (await deliver(row, this.env.TARGET_URL)) delivered.push(row.seq);
        }
      });
      await Promise.all(lanes);
      // All at once, as a write between two fetches makes the second wait for the disk.
      sql.exec("DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?))", JSON.stringify(delivered));
      failed = delivered.length < rows.length;
    }
    this.#isArmed = failed;
    if (failed) await this.ctx.storage.setAlarm(Date.now() + RETRY_MS);
  }
}

async function deliver({ id, body }: Row, url: string): Promise<boolean> {
  // Not AbortSignal.timeout: its timers last for their 15 s, and with ten thousand of them each further one is slow.
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), FETCH_TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "webhook-id": id },
      body,
      signal: controller.signal,
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
