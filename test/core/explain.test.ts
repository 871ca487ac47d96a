import { describe, expect, it } from "vitest";
import type { ExplainedEvent } from "../../src/core/explain.ts";
import { BODIES_BYTES_MAX, DELIVERY_ID_PLACEHOLDER, explainEvent } from "../../src/core/explain.ts";
import { ruleSetOf } from "../support/rule-sets.ts";
import { eventWith } from "../support/target-io.ts";

const RULES = ruleSetOf({
  targets: { ci: {}, audit: {} },
  rules: {
    live: { targets: ["ci", "audit"], transform: { path: "$.data.a" } },
    other: { pattern: { data: { b: [1] } }, targets: ["ci"] },
    shadow: { mode: "shadow", targets: ["ci"] },
    off: { mode: "off", targets: ["ci"] },
    fails: { targets: ["ci"], transform: { path: "$.data.missing", required: true } },
    elsewhere: { path: "other/elsewhere", bus: "other", targets: ["ci"] },
  },
});

function explain(changes: Partial<ExplainedEvent> = {}, rule?: string) {
  const event = eventWith('{"a":[1]}');
  const explained: ExplainedEvent = { event, bus: "default", rawHeaders: {}, acceptedAt: 0, ...changes };
  return explainEvent(RULES, explained, { local: undefined, ...(rule === undefined ? {} : { rule }) });
}

const fields = [{ path: "id", found: '"72d3162e-cc78-11e3-81ab-4c9367dc0958"', by: ["any value"] }];

describe("an explanation", () => {
  it("has each rule of the bus, in order, with what it would send", async () => {
    const request = (target: string, body: string) => ({
      target,
      kind: "fake",
      delivery: DELIVERY_ID_PLACEHOLDER,
      request: { action: `send to ${target}`, headers: {}, bodyBytes: body.length, body },
    });
    expect(await explain({ receipt: "evt_x" })).toEqual({
      receipt: "evt_x",
      bus: "default",
      event: {
        id: "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        source: "https://github.com/octocat/hello",
        type: "com.github.push",
      },
      rules: [
        {
          rule: "default/fails",
          mode: "live",
          matched: true,
          fields,
          deliveries: [
            {
              target: "ci",
              kind: "fake",
              delivery: DELIVERY_ID_PLACEHOLDER,
              problem: "the transform fails: the event has nothing at the required path $.data.missing",
            },
          ],
        },
        {
          rule: "default/live",
          mode: "live",
          matched: true,
          fields,
          deliveries: [request("ci", "[1]"), request("audit", "[1]")],
        },
        { rule: "default/off", mode: "off", matched: true, fields, deliveries: [] },
        {
          rule: "default/other",
          mode: "live",
          matched: false,
          reason: {
            kind: "no-such-field",
            path: "data.b",
            expected: "1",
            found: "no such field",
            text: "data.b: expected 1, found no such field",
          },
          deliveries: [],
        },
        {
          rule: "default/shadow",
          mode: "shadow",
          matched: true,
          fields,
          deliveries: [request("ci", '{"a":[1]}')],
        },
      ],
    });
  });

  it("is plain data", async () => {
    const explanation = await explain();
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  });

  it("without a bus has the rules of every bus, and with a rule only that one", async () => {
    expect((await explain({ bus: null })).rules.map(({ rule }) => rule)).toContain("other/elsewhere");
    expect((await explain({ bus: "other" })).rules.map(({ rule }) => rule)).toEqual(["other/elsewhere"]);
    expect((await explain({}, "default/off")).rules.map(({ rule }) => rule)).toEqual(["default/off"]);
  });

  it("names deliveries by their ids where there are any", async () => {
    const deliveryId = (rule: string, target: string) => (target === "ci" ? `dlv_${rule}` : undefined);
    const { rules } = await explain({ deliveryId }, "default/live");
    expect(rules[0]?.deliveries.map(({ delivery }) => delivery)).toEqual(["dlv_default/live", DELIVERY_ID_PLACEHOLDER]);
  });

  it("says that nothing is sent of an event that is a loop", async () => {
    const { rules } = await explain({ event: eventWith("{}", { sluicehops: 9 }) }, "default/live");
    expect(rules[0]?.deliveries[0]?.problem).toMatch(/it is a loop$/);
  });

  it("has a body that is not text in Base64, and text with all of its bytes", async () => {
    const of = async (body: Uint8Array | null) => {
      const event = eventWith(body, { datacontenttype: "application/octet-stream" });
      return (await explain({ event }, "default/shadow")).rules[0]?.deliveries[0]?.request;
    };
    const base = { action: "send to ci", headers: {} };
    expect(await of(Uint8Array.of(0xff, 0))).toEqual({ ...base, bodyBytes: 2, bodyBase64: "/wA=" });
    expect(await of(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toEqual({ ...base, bodyBytes: 4, body: "\ufeffA" });
    expect(await of(null)).toEqual({ ...base, bodyBytes: 0 });
  });

  it("leaves out bodies past BODIES_BYTES_MAX, and says how long they are", async () => {
    const rules = ruleSetOf({ targets: { a: {}, b: {}, c: {} }, rules: { all: { targets: ["a", "b", "c"] } } });
    const of = async (bytes: number) => {
      const event = eventWith("x".repeat(bytes), { datacontenttype: "text/plain" });
      const explained = { event, bus: null, rawHeaders: {}, acceptedAt: 0 };
      const explanation = await explainEvent(rules, explained, { local: undefined });
      return explanation.rules[0]?.deliveries.map(({ request }) => [request?.bodyLeftOut, request?.body?.length]);
    };
    const half = BODIES_BYTES_MAX / 2;
    expect(await of(half)).toEqual([
      [undefined, half],
      [undefined, half],
      [true, undefined],
    ]);
    expect(await of(half + 1)).toEqual([
      [undefined, half + 1],
      [true, undefined],
      [true, undefined],
    ]);
  });

  it("of many events by many rules takes little time", async () => {
    const pattern = { type: ["com.github.push"], data: { ref: [{ prefix: "refs/heads/" }], missing: { field: [1] } } };
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`r${index}`, { pattern }]));
    const rules = ruleSetOf({ targets: {}, rules: many });
    const explained = { event: eventWith('{"ref":"refs/heads/x"}'), bus: null, rawHeaders: {}, acceptedAt: 0 };
    const startedAt = performance.now();
    for (let round = 0; round < 5; round++) await explainEvent(rules, explained, { local: undefined });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
