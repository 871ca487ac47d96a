import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { compileRules } from "../../src/core/rule-set.ts";
import { sources } from "../../src/generated/sources.ts";
import { targets } from "../../src/generated/targets.ts";
import { githubEvent } from "../../bin/event-input.ts";
import type { JsonObject } from "../../src/core/result.ts";
import { eventView } from "../../src/core/event.ts";
import { BODY_BYTES, createEventWriter, deliveryId, eventTemplates, writeBody } from "./bench-events.ts";
import { RULES, benchDocument } from "./bench-rules.ts";

const SECRET = "made-up";

function writtenEvents(count: number) {
  const writer = createEventWriter({ host: "h", path: "/p", secret: SECRET, first: 5, count, run: "run" });
  const buffer = Buffer.alloc(writer.bytesMax);
  return Array.from({ length: count }, (_, index) => {
    const text = buffer.toString("utf8", 0, writer.write(5 + index, buffer));
    const [head = "", body = ""] = text.split("\r\n\r\n");
    return { head: head.split("\r\n"), body };
  });
}

function headerOf(head: readonly string[], name: string): string | undefined {
  return head.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
}

describe("the events of the benches", () => {
  const events = writtenEvents(200);

  it("are signed requests, each with its own id and its own body, of about 10 kB", () => {
    for (const { head, body } of events) {
      expect(headerOf(head, "content-length")).toBe(String(Buffer.byteLength(body)));
      const signature = createHmac("sha256", SECRET).update(body).digest("hex");
      expect(headerOf(head, "x-hub-signature-256")).toBe(`sha256=${signature}`);
    }
    expect(new Set(events.map(({ head }) => headerOf(head, "x-github-delivery"))).size).toBe(200);
    expect(new Set(events.map(({ body }) => body)).size).toBe(200);
    const bytes = eventTemplates().map(({ body }) => body.length);
    expect(Math.min(...bytes)).toBeGreaterThanOrEqual(BODY_BYTES.min);
    expect(bytes.reduce((sum, each) => sum + each, 0) / bytes.length).toBeCloseTo(10_000, -3);
  });

  it("come from many repositories", () => {
    const repositories = events.map(({ body }) => (JSON.parse(body) as { repository: { id: number } }).repository.id);
    expect(new Set(repositories).size).toBe(64);
  });

  it("have ids of the length of GitHub's", () => {
    expect(deliveryId("run", 7)).toHaveLength(36);
    expect(deliveryId("run", 7)).not.toBe(deliveryId("run", 70));
  });
});

describe("the rules of the benches", () => {
  const matchesOf = (rules: number, catchAll: boolean) => {
    const compiled = compileRules(benchDocument("https://target.example/", { rules, catchAll }), { sources, targets });
    return eventTemplates().map((template, n) => {
      const body = Buffer.alloc(template.body.length);
      writeBody(template, n, body);
      const payload = JSON.parse(body.toString()) as JsonObject;
      return compiled.match("default", eventView(githubEvent(template.event, payload, 0, `id-${n}`))).length;
    });
  };

  it("are a hundred, of which each event meets exactly one", () => {
    expect(benchDocument("https://target.example/").rules).toHaveLength(RULES);
    expect(new Set(matchesOf(RULES, false))).toEqual(new Set([1]));
  });

  it.each([1, 1_000])("are as many as asked when one catches all: %i", (rules) => {
    expect(benchDocument("https://target.example/", { rules, catchAll: true }).rules).toHaveLength(rules);
    expect(new Set(matchesOf(rules, true))).toEqual(new Set([1]));
  });
});
