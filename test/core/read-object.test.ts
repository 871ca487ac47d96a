import { describe, expect, it } from "vitest";
import type { Reader } from "../../src/core/read-object.ts";
import {
  describe as describeValue,
  formatDuration,
  nearestName,
  readBindingName,
  readDurationMs,
  readInteger,
  readList,
  readMembers,
  readOneOf,
  readString,
  unknownName,
} from "../../src/core/read-object.ts";
import type { Json, JsonObject, Mistake } from "../../src/core/result.ts";

function read<Value>(reader: Reader<Value>, value: Json): { value: Value | undefined; mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  return { value: reader(value, ["x"], mistakes), mistakes };
}

function messagesOf<Value>(reader: Reader<Value>, value: Json): readonly string[] {
  return read(reader, value).mistakes.map(({ message }) => message);
}

describe("the members of an object", () => {
  const readers = { url: readString, mode: readOneOf(["live", "off"]) };

  it("are read with one reader each; what is absent stays absent", () => {
    const mistakes: Mistake[] = [];
    expect(readMembers({ mode: "off" }, [], readers, mistakes)).toEqual({ mode: "off" });
    expect(mistakes).toEqual([]);
  });

  it("have all their mistakes told at once, each with its path", () => {
    const mistakes: Mistake[] = [];
    expect(readMembers({ urls: 1, url: "", mode: "on" }, ["ci"], readers, mistakes)).toEqual({});
    expect(mistakes).toEqual([
      { path: ["ci", "urls"], at: "key", message: 'unknown key "urls"; did you mean "url"? (known: url, mode)' },
      { path: ["ci", "url"], message: 'expected a non-empty string, found the string ""' },
      { path: ["ci", "mode"], message: 'unknown value "on" (known: live, off)' },
    ]);
  });

  it("are never taken for those that every object inherits", () => {
    const mistakes: Mistake[] = [];
    const hostile = JSON.parse('{"__proto__": "a", "constructor": "b", "hasOwnProperty": "c"}') as JsonObject;
    const result = readMembers(hostile, [], readers, mistakes);
    expect(mistakes.map(({ path }) => path)).toEqual([["__proto__"], ["constructor"], ["hasOwnProperty"]]);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });
});

describe("a whole number", () => {
  it("is one within its bounds, both included", () => {
    for (const value of [1, 2, 20]) expect(read(readInteger(1, 20), value)).toEqual({ value, mistakes: [] });
    for (const [value, found] of [
      [0, "the number 0"],
      [21, "the number 21"],
      [1.5, "the number 1.5"],
      ["2", 'the string "2"'],
      [null, "null"],
      [[2], "a list"],
    ] as const) {
      expect(messagesOf(readInteger(1, 20), value)).toEqual([`expected a whole number from 1 to 20, found ${found}`]);
      expect(read(readInteger(1, 20), value).value).toBeUndefined();
    }
  });
});

describe("a choice", () => {
  it("tells the nearest one or what it found instead", () => {
    expect(read(readOneOf(["live", "off"]), "off")).toEqual({ value: "off", mistakes: [] });
    expect(messagesOf(readOneOf(["live", "off"]), "lve")).toEqual([
      'unknown value "lve"; did you mean "live"? (known: live, off)',
    ]);
    expect(messagesOf(readOneOf(["live", "off"]), true)).toEqual(["expected one of live, off, found true"]);
  });
});

describe("a list", () => {
  it("reads its items, at most as many as it may have", () => {
    expect(read(readList(readString, 2), ["a", "b"])).toEqual({ value: ["a", "b"], mistakes: [] });
    expect(messagesOf(readList(readString, 2), ["a", "b", "c"])).toEqual(["expected at most 2 items, found 3"]);
    expect(messagesOf(readList(readString, 2), [])).toEqual(["expected a non-empty list, found an empty list"]);
    expect(messagesOf(readList(readString, 2), "a")).toEqual(['expected a non-empty list, found the string "a"']);
  });

  it("points at the item that is wrong", () => {
    expect(read(readList(readString, 3), ["a", 1, null]).mistakes).toEqual([
      { path: ["x", 1], message: "expected a non-empty string, found the number 1" },
      { path: ["x", 2], message: "expected a non-empty string, found null" },
    ]);
  });
});

describe("the name of a secret", () => {
  it.each(["CI_SECRET", "_a", "a1", "A".repeat(64)])("can be %s", (name) => {
    expect(read(readBindingName, name)).toEqual({ value: name, mistakes: [] });
  });

  it.each(["", "1A", "A-B", "A".repeat(65), 5])("can't be %s, and is not shown: it may be the secret", (value) => {
    const [message, ...more] = messagesOf(readBindingName, value);
    expect(more).toEqual([]);
    expect(message).toContain("expected the name of a secret");
    if (value !== "" && value !== 5) expect(message).not.toContain(String(value));
  });

  it.each([
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl",
    "whsec_C2FVsBQIhrscChlQIMVb5sSYspob7oD",
    "sk_live_51Habcdefghijkl",
    "AKIAIOSFODNN7EXAMPLE",
    "d41d8cd98f00b204e9800998ecf8427e",
    "f3a91c0e77d24b5a",
    "kJ8sd9fLkjh2348sdfKJHSDf98sdf7sd",
  ])("is not %s, which looks like a secret, and is not shown", (value) => {
    const [message, ...more] = messagesOf(readBindingName, value);
    expect(more).toEqual([]);
    expect(message).toContain("expected the name of a secret");
    expect(message).not.toContain(value);
  });

  it.each(["GHP_TOKEN", "facade", "DEADBEEF_SECRET_2", "GITHUBWEBHOOKSECRETOFTHEMAINORGANISATION", "whsec"])(
    "can be %s, which only reminds of one",
    (name) => expect(messagesOf(readBindingName, name)).toEqual([]),
  );
});

describe("a duration", () => {
  const reader = readDurationMs(1_000, 86_400_000);

  it.each([
    ["1s", 1_000],
    ["1000ms", 1_000],
    ["5m", 300_000],
    ["5min", 300_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ])("%s is %i ms", (text, ms) => {
    expect(read(reader, text)).toEqual({ value: ms, mistakes: [] });
  });

  it.each(["", "5", "s", "-5s", "1.5s", "5 s", "5S", "1w", "1234567890s", "5constructor"])("%j is none", (text) => {
    expect(messagesOf(reader, text)).toEqual([
      `expected a duration such as 15s, 5m, 2h or 3d, found the string ${JSON.stringify(text)}`,
    ]);
  });

  it("has bounds", () => {
    expect(messagesOf(reader, "999ms")).toEqual(["expected a duration from 1s to 1d, found 999ms"]);
    expect(messagesOf(reader, "25h")).toEqual(["expected a duration from 1s to 1d, found 25h"]);
    expect(messagesOf(reader, 15)).toEqual(["expected a duration such as 15s, 5m, 2h or 3d, found the number 15"]);
  });

  it("is written in the largest unit that fits it whole", () => {
    expect([0, 1, 1_500, 60_000, 90_000, 7_200_000, 172_800_000].map(formatDuration)).toEqual([
      "0ms",
      "1ms",
      "1500ms",
      "1m",
      "90s",
      "2h",
      "2d",
    ]);
  });
});

describe("messages", () => {
  it("name values on one short line", () => {
    expect([undefined, null, [], [1], {}, 1, true].map((value) => describeValue(value))).toEqual([
      "nothing",
      "null",
      "an empty list",
      "a list",
      "an object",
      "the number 1",
      "true",
    ]);
    expect(describeValue("a\nb")).toBe('the string "a\\nb"');
    expect(describeValue("x".repeat(40))).toHaveLength(53);
    expect(describeValue("x".repeat(100_000))).toHaveLength(54);
  });

  it("offer a known name at most a third of the letters away", () => {
    expect(nearestName("targts", ["source", "targets"])).toBe("targets");
    expect(nearestName("TARGETS", ["targets"])).toBe("targets");
    expect(nearestName("abc", ["abd"])).toBe("abd");
    expect(nearestName("abc", ["axx"])).toBeUndefined();
    expect(nearestName("auht", ["path", "auth"])).toBe("auth");
    expect(nearestName("htua", ["auth"])).toBeUndefined();
    expect(nearestName("", ["a"])).toBeUndefined();
  });

  it("list what is known, as far as it fits", () => {
    expect(unknownName("target", "x", [])).toBe('unknown target "x" (there are none)');
    const many = Array.from({ length: 21 }, (_, index) => `n${index}`);
    expect(unknownName("target", "other", many)).toContain("n19, …)");
    expect(unknownName("target", "other", many.slice(0, 20))).toContain("n19)");
  });
});
