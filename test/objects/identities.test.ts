import { expect, it } from "vitest";
import type { Identity } from "../../src/objects/identities.ts";
import { openIdentities, READ_IDENTITIES_MAX, WRITE_IDENTITIES_MAX } from "../../src/objects/identities.ts";
import { openSegment } from "../../src/objects/segments.ts";
import { migrate } from "../../src/objects/schema.ts";
import type { Sql } from "../../src/objects/sql.ts";
import { openNodeSql } from "../support/node-sql.ts";

function openBench() {
  const sql = openNodeSql();
  migrate(sql);
  for (const n of [1, 2]) openSegment(sql, "dedup", n, n, n);
  const params: number[] = [];
  const counted: Sql = {
    ...sql,
    all(query, ...values) {
      params.push(values.length);
      return sql.all(query, ...values);
    },
    run(query, ...values) {
      params.push(values.length);
      sql.run(query, ...values);
    },
  };
  return { sql, params, open: () => openIdentities(counted, () => [2, 1]) };
}

const identity = (n: number) => Uint8Array.from({ length: 32 }, (_, at) => (n + at * 7) % 256);
const entry = (seq: number): Identity => ({ seq, fingerprint: { scope: "hook 1", hash: "1:ff" }, token: `t${seq}` });
const all = (count: number) => Array.from({ length: count }, (_, n) => identity(n));

it("are found by the commit that has added them, and by later ones once they are written", () => {
  const { open } = openBench();
  const identities = open();
  identities.add(identity(1), entry(1));
  expect(identities.find(identity(1))).toEqual(entry(1));
  expect(identities.find(identity(2))).toBeUndefined();
  identities.flush(() => 1);
  for (const each of [identities, open()]) expect(each.find(identity(1))).toEqual(entry(1));
});

it("are not known any more after a commit that has only read them: another one may add them", () => {
  const { open } = openBench();
  const identities = open();
  expect(identities.find(identity(1))).toBeUndefined();
  identities.flush(() => 1);
  const other = open();
  other.add(identity(1), entry(5));
  other.flush(() => 2);
  expect(identities.find(identity(1))).toEqual(entry(5));
});

it("are those of the newest table where two know them", () => {
  const { open } = openBench();
  for (const n of [1, 2]) {
    const identities = open();
    identities.add(identity(1), entry(n));
    identities.flush(() => n);
  }
  const identities = open();
  identities.read(all(3));
  expect(identities.find(identity(1))).toEqual(entry(2));
});

it("are read and written many at a time, and no more than a statement takes", () => {
  const { open, params, sql } = openBench();
  const count = READ_IDENTITIES_MAX + 1;
  const identities = open();
  identities.read(all(count));
  // Once for each of the two tables.
  expect(params.splice(0)).toEqual([READ_IDENTITIES_MAX, READ_IDENTITIES_MAX, 1, 1]);
  for (let n = 0; n < count; n++) {
    expect(identities.find(identity(n))).toBeUndefined();
    identities.add(identity(n), entry(n));
  }
  expect(params).toEqual([]);
  identities.flush(() => 1);
  expect(params).toEqual([WRITE_IDENTITIES_MAX * 4, WRITE_IDENTITIES_MAX * 4, 4]);
  expect(sql.all("SELECT count(*) AS n FROM dedup_1")).toEqual([{ n: count }]);
  const again = open();
  again.read(all(count));
  for (let n = 0; n < count; n++) expect(again.find(identity(n))).toEqual(entry(n));
});
