/**
 * The identities that a partition has accepted, in the tables `dedup_<n>`. A commit of many events reads and writes theirs
 * together: a statement for each costs more than the rows.
 */
import type { Fingerprint } from "../core/event.ts";
import type { Sql } from "./sql.ts";

/** Identities of one statement: Durable Objects take 100 parameters (SQL limits). */
export const READ_IDENTITIES_MAX = 50;
/** Rows of one statement, each of four values. */
export const WRITE_IDENTITIES_MAX = 25;

export interface Identity {
  readonly seq: number;
  readonly fingerprint: Fingerprint;
  readonly token: string;
}

export interface Identities {
  readonly find: (identity: Uint8Array) => Identity | undefined;
  readonly read: (identities: readonly Uint8Array[]) => void;
  readonly add: (identity: Uint8Array, entry: Identity) => void;
  /** `segmentFor`: the table that an event with this number goes to. */
  readonly flush: (segmentFor: (seq: number) => number) => void;
}

type Row = { identity: Uint8Array; seq: number; fingerprint: string; token: string };

/** `newestFirst`: the numbers of the tables there are. */
export function openIdentities(sql: Sql, newestFirst: () => readonly number[]): Identities {
  /** Read or added by this commit; null where there is none. */
  const known = new Map<string, Identity | null>();
  let added: { readonly identity: Uint8Array; readonly entry: Identity }[] = [];

  function read(identities: readonly Uint8Array[]): void {
    for (const each of identities) if (!known.has(keyOf(each))) known.set(keyOf(each), null);
    for (let at = 0; at < identities.length; at += READ_IDENTITIES_MAX) {
      const some = identities.slice(at, at + READ_IDENTITIES_MAX);
      const places = some.map(() => "?").join();
      for (const n of newestFirst()) {
        const query = `SELECT identity, seq, fingerprint, token FROM dedup_${n} WHERE identity IN (${places})`;
        for (const { identity, seq, fingerprint, token } of sql.all<Row>(query, ...some)) {
          const key = keyOf(identity);
          // The newest table that knows it counts.
          if (known.get(key) === null) known.set(key, { seq, token, fingerprint: parseFingerprint(fingerprint) });
        }
      }
    }
  }

  return {
    read,

    find(identity) {
      const key = keyOf(identity);
      if (!known.has(key)) read([identity]);
      return known.get(key) ?? undefined;
    },

    add(identity, entry) {
      known.set(keyOf(identity), entry);
      added.push({ identity, entry });
    },

    flush(segmentFor) {
      const [first] = added;
      if (first !== undefined) {
        const segment = segmentFor(first.entry.seq);
        for (let at = 0; at < added.length; at += WRITE_IDENTITIES_MAX) {
          const some = added.slice(at, at + WRITE_IDENTITIES_MAX);
          sql.run(
            `INSERT OR REPLACE INTO dedup_${segment} (identity, seq, fingerprint, token)
             VALUES ${some.map(() => "(?, ?, ?, ?)").join()}`,
            ...some.flatMap(({ identity, entry }) => [
              identity,
              entry.seq,
              formatFingerprint(entry.fingerprint),
              entry.token,
            ]),
          );
        }
      }
      added = [];
      known.clear();
    },
  };
}

function keyOf(identity: Uint8Array): string {
  return String.fromCharCode(...identity);
}

function formatFingerprint({ scope, hash }: Fingerprint): string {
  return `${hash} ${scope}`;
}

function parseFingerprint(text: string): Fingerprint {
  const space = text.indexOf(" ");
  return { hash: text.slice(0, space), scope: text.slice(space + 1) };
}
