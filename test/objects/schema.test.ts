import { describe, expect, it } from "vitest";
import { SCHEMA_VERSION, migrate, readMeta, writeMeta } from "../../src/objects/schema.ts";
import { openNodeSql } from "../support/node-sql.ts";

describe("the migration of a partition's tables", () => {
  it("makes them once, and changes nothing the next time", () => {
    const sql = openNodeSql();
    migrate(sql);
    const schema = () => sql.all("SELECT name, sql FROM sqlite_master ORDER BY name");
    const made = schema();
    sql.run("INSERT INTO work (seq, due, deliveries, event) VALUES (1, 2, '[]', '{}')");
    const written = sql.rowsWritten();
    migrate(sql);
    expect(schema()).toEqual(made);
    expect(sql.rowsWritten()).toBe(written);
    expect(sql.all("SELECT seq FROM work")).toEqual([{ seq: 1 }]);
    expect(readMeta(sql, "schema")).toBe(String(SCHEMA_VERSION));
  });

  it("refuses tables that a newer Sluice has written, and says what to do", () => {
    const sql = openNodeSql();
    migrate(sql);
    writeMeta(sql, "schema", String(SCHEMA_VERSION + 1));
    expect(() => migrate(sql)).toThrow(
      `the partition's tables have version ${SCHEMA_VERSION + 1}, this Sluice knows up to ${SCHEMA_VERSION}: deploy the newer one again`,
    );
  });

  it("leaves nothing half done when it fails", () => {
    const sql = openNodeSql();
    sql.run("CREATE TABLE rejections (slot INTEGER PRIMARY KEY)");
    expect(() => migrate(sql)).toThrow();
    expect(sql.all("SELECT name FROM sqlite_master WHERE name IN ('work', 'meta')")).toEqual([]);
  });
});

describe("the facts about a partition", () => {
  it("are kept by name, the latest value of each", () => {
    const sql = openNodeSql();
    migrate(sql);
    expect(readMeta(sql, "name")).toBeUndefined();
    writeMeta(sql, "name", "a");
    writeMeta(sql, "name", "b");
    expect(readMeta(sql, "name")).toBe("b");
  });
});
