import { describe, expect, it } from "vitest";
import { EVENT_NODES_MAX, NAMES_COMPARED_MAX, eventPaths } from "../../src/core/explain-paths.ts";
import type { JsonObject } from "../../src/core/result.ts";

const EVENT: JsonObject = {
  type: "com.github.pull_request.opened",
  data: {
    action: "opened",
    number: 7,
    pull_request: { title: "x", head: { ref: "feature", repo: { full_name: "o/r" } }, base: { ref: "main" } },
    repository: { full_name: "o/r", owner: { login: "o" } },
    labels: [{ name: "bug" }, { color: "red" }],
    requested: [],
  },
};

const nearest = (path: string) => eventPaths(EVENT).nearest(path);

describe("the nearest field", () => {
  it.each([
    ["data.title", "data.pull_request.title", "the same name elsewhere"],
    ["data.Title", "data.pull_request.title", "the same name in another case"],
    ["data.acton", "data.action", "a letter is missing"],
    ["data.Action", "data.action", "another case"],
    ["data.repositry.full_name", "data.repository.full_name", "a name on the way is misspelt"],
    ["dta.repository.ful_name", "data.repository.full_name", "several names are misspelt"],
    ["data.titl", "data.pull_request.title", "misspelt and elsewhere"],
    ["detail.action", "data.action", "as in EventBridge"],
    ["action", "data.action", "without data"],
    ["head.ref", "data.pull_request.head.ref", "the end of a path"],
    ["data.base.ref", "data.pull_request.base.ref", "a name on the way is missing"],
    ["data.full_name", "data.repository.full_name", "the shortest of several"],
    ["data.label.name", "data.labels.name", "in a list"],
    ["data.repositry", "data.repository", "an object is nearest"],
  ])("to %s is %s: %s", (path, found) => {
    expect(nearest(path)).toBe(found);
  });

  it.each([["data.quite_another_thing"], ["x"], [""], ["data.zz.qq"]])("to %j is none", (path) => {
    expect(nearest(path)).toBeUndefined();
  });

  it("reads names of an object's own only", () => {
    expect(eventPaths({ data: {} }).nearest("data.constructor")).toBeUndefined();
    expect(eventPaths({ data: {} }).at("data.__proto__")).toBeUndefined();
    expect(eventPaths(JSON.parse('{"data":{"__proto__":{"a":1}}}') as JsonObject).at("data.__proto__.a")).toEqual({
      kind: "field",
    });
  });
});

describe("what stands at a path", () => {
  it.each([
    ["type", { kind: "field" }],
    ["data.labels.name", { kind: "field" }],
    ["data.labels", { kind: "list", names: ["name", "color"] }],
    ["data.requested", { kind: "list", names: [] }],
    ["data.repository.owner", { kind: "object", names: ["login"] }],
    ["data.nothing", undefined],
  ])("%s: %j", (path, place) => {
    expect(eventPaths(EVENT).at(path)).toEqual(place);
  });

  it("is a field under names joined by dots, however they are cut", () => {
    expect(eventPaths({ "a.b": { c: 1 } }).at("a.b.c")).toEqual({ kind: "field" });
  });
});

describe("a large event", () => {
  it("is read up to a limit, its root first", () => {
    const many = (count: number): JsonObject => ({ list: Array.from({ length: count }, () => 1), last: { field: 1 } });
    // The event, its two members and the list's items are nodes, and the last field is one more.
    expect(eventPaths(many(EVENT_NODES_MAX - 4)).at("last.field")).toEqual({ kind: "field" });
    expect(eventPaths(many(EVENT_NODES_MAX - 3)).at("last.field")).toBeUndefined();
  });

  it("has so many names compared, the first ones", () => {
    const names = (count: number): JsonObject => ({
      ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${10_000 + index}`, 1])),
      wanted: 1,
    });
    expect(eventPaths(names(NAMES_COMPARED_MAX - 1)).nearest("wantd")).toBe("wanted");
    expect(eventPaths(names(NAMES_COMPARED_MAX)).nearest("wantd")).toBeUndefined();
  });

  it("of names made to be slow is searched in bounded time", () => {
    const hostile = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`${"x".repeat(75)}${index}`, 1]));
    const paths = eventPaths(hostile);
    const startedAt = performance.now();
    paths.nearest("y".repeat(80));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
