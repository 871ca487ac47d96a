import { describe, expect, it } from "vitest";
import type { VerificationEntry } from "../../src/bus/ports.ts";
import { migrate, readMeta, SCHEMA_VERSION } from "../../src/objects/schema.ts";
import {
  VERIFICATIONS_KEPT_MAX,
  VERIFICATIONS_PER_CALL_MAX,
  listVerifications,
  recordVerifications,
} from "../../src/objects/verification-log.ts";
import { openNodeSql } from "../support/node-sql.ts";

function openLog() {
  const sql = openNodeSql();
  migrate(sql);
  return sql;
}

const entry = (secret: string, at: number, source = "github"): VerificationEntry => ({ source, secret, at });

describe("the record of verifications", () => {
  it("keeps the newest time of each secret of each source", () => {
    const sql = openLog();
    recordVerifications(sql, [entry("NEW", 5), entry("OLD", 3), entry("OLD", 4, "events")]);
    recordVerifications(sql, [entry("OLD", 9)]);
    expect(listVerifications(sql)).toEqual([entry("OLD", 4, "events"), entry("NEW", 5), entry("OLD", 9)]);
  });

  it("never goes back in time, and writes nothing then", () => {
    const sql = openLog();
    recordVerifications(sql, [entry("OLD", 9)]);
    const written = sql.rowsWritten();
    recordVerifications(sql, [entry("OLD", 8), entry("OLD", 9)]);
    expect(listVerifications(sql)).toEqual([entry("OLD", 9)]);
    expect(sql.rowsWritten()).toBe(written);
    recordVerifications(sql, [entry("OLD", 10)]);
    expect(sql.rowsWritten()).toBe(written + 1);
  });

  it("stands among what the partition knows of itself, and needs no new version of the tables", () => {
    const sql = openLog();
    recordVerifications(sql, [entry("OLD", 9)]);
    expect(readMeta(sql, "verified:github:OLD")).toBe("9");
    expect(readMeta(sql, "schema")).toBe(String(SCHEMA_VERSION));
    expect(SCHEMA_VERSION).toBe(3);
    migrate(sql);
    expect(listVerifications(sql)).toEqual([entry("OLD", 9)]);
  });

  it("takes no more than its bound in one call", () => {
    const sql = openLog();
    const many = Array.from({ length: VERIFICATIONS_PER_CALL_MAX + 1 }, (_, n) => entry(`S${n}`, n));
    recordVerifications(sql, many);
    expect(listVerifications(sql)).toHaveLength(VERIFICATIONS_PER_CALL_MAX);
  });

  it("keeps a bounded number: the oldest gives way", () => {
    const sql = openLog();
    for (let n = 0; n < VERIFICATIONS_KEPT_MAX; n += VERIFICATIONS_PER_CALL_MAX) {
      const few = Array.from({ length: VERIFICATIONS_PER_CALL_MAX }, (_, k) => entry(`S${n + k}`, 1_000 + n + k));
      recordVerifications(sql, few);
    }
    expect(listVerifications(sql)).toHaveLength(VERIFICATIONS_KEPT_MAX);
    expect(readMeta(sql, "verified:github:S0")).toBe("1000");
    recordVerifications(sql, [entry("S1", 90_000), entry("ONE_MORE", 90_000)]);
    expect(listVerifications(sql)).toHaveLength(VERIFICATIONS_KEPT_MAX);
    expect(readMeta(sql, "verified:github:S0")).toBeUndefined();
    expect(readMeta(sql, "verified:github:S1")).toBe("90000");
    expect(readMeta(sql, "verified:github:ONE_MORE")).toBe("90000");
  });
});
