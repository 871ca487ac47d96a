import { describe, expect, it } from "vitest";
import { DELIVERIES_PER_EVENT_MAX, planEvent } from "../../src/bus/plan-event.ts";
import type { ShadowPorts } from "../../src/bus/shadow.ts";
import {
  SHADOW_EVENT_BYTES_MAX,
  SHADOW_OUTPUT_BYTES_MAX,
  SHADOW_PROBLEM_CHARS_MAX,
  SHADOW_RULES_MAX,
  SHADOW_TIME_MS,
} from "../../src/bus/shadow.ts";
import { ATTRIBUTES_BYTES_MAX } from "../../src/core/attributes.ts";
import { payloadFingerprint } from "../../src/core/event.ts";
import type { RuleDefinition } from "../../src/core/rule.ts";
import type { RuleSet } from "../../src/core/rule-set.ts";
import type { ReceivedEvent } from "../../src/core/source.ts";
import { hashing } from "../../src/hashing.ts";
import { BODY_BYTES_MAX } from "../../src/http/body.ts";
import { DELIVERIES_BYTES_MAX, formatEvent } from "../../src/objects/stored-event.ts";
import { ruleSetOf } from "../support/rule-sets.ts";

const ARRIVED_AT = Date.UTC(2026, 0, 1);
const ORIGIN = { name: "events", bus: "default", scope: "events" };
/** Cloudflare, "SQLite-backed Durable Object limits": a row. */
const ROW_BYTES_MAX = 2_000_000;

const shadow = (more: Partial<RuleDefinition> = {}): Partial<RuleDefinition> => ({
  mode: "shadow",
  targets: ["ci"],
  ...more,
});

function received(data: unknown = { id: 7 }, attributes: Readonly<Record<string, string>> = {}): ReceivedEvent {
  const body = new TextEncoder().encode(JSON.stringify(data));
  return {
    event: {
      attributes: {
        specversion: "1.0",
        id: "e1",
        source: "/s",
        type: "t",
        datacontenttype: "application/json",
        ...attributes,
      },
      body,
    },
    fingerprint: payloadFingerprint(body, "", hashing.sha256),
    key: "k",
    rawHeaders: {},
  };
}

function rulesOf(rules: Parameters<typeof ruleSetOf>[0]["rules"]): RuleSet {
  return ruleSetOf({ targets: { ci: {}, audit: {} }, rules });
}

/** `transformMs`: what each transform takes. */
async function plan(ruleSet: RuleSet, event: ReceivedEvent = received(), transformMs = 0) {
  const logs: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  const log: ShadowPorts["log"] = (message, fields) => void logs.push({ message, fields });
  let now = ARRIVED_AT - transformMs;
  const sleep = async () => void (now += transformMs);
  const ports = { ruleSet, rulesVersion: { hash: "v1", deployedAt: 1 }, hashing, log, now: () => now, sleep };
  const planned = await planEvent(event, ORIGIN, ports, ARRIVED_AT);
  if (!planned.ok) throw new Error(planned.error.reason);
  return { item: planned.value, shadow: planned.value.event.shadow, logs };
}

/** A shadow rule whose output is the event's `data.text`, quotes and all. */
const ECHO = shadow({ transform: { path: "$.data.text" } });
const textOf = (bytes: number) => "x".repeat(bytes - 2);

describe("a shadow rule that matches", () => {
  it("is kept with its targets and what its transform made, beside what live rules deliver", async () => {
    const { item, shadow: matches } = await plan(
      rulesOf({
        all: { targets: ["audit"] },
        try: shadow({
          targets: ["ci", "audit"],
          transform: { template: { paths: { n: "$.data.id" }, body: ["<n>"] } },
        }),
      }),
    );
    expect(matches).toEqual([{ rule: "default/try", targets: ["ci", "audit"], output: "[7]" }]);
    expect(item.event.rules).toEqual(["default/all"]);
    expect(item.deliveries.map(({ rule, target }) => `${rule} ${target}`)).toEqual(["default/all audit"]);
  });

  it("plans no delivery: an event that nothing else matches is wanted by no rule", async () => {
    const { item } = await plan(rulesOf({ try: shadow() }));
    expect(item.deliveries).toEqual([]);
    expect(item.event.rules).toEqual([]);
    expect(item.event.shadow).toEqual([{ rule: "default/try", targets: ["ci"] }]);
  });

  it("has no output without a transform: that would be the payload, which is kept as it is", async () => {
    expect((await plan(rulesOf({ try: shadow() }))).shadow).toEqual([{ rule: "default/try", targets: ["ci"] }]);
  });

  it("tells why its transform failed", async () => {
    const transform = { path: "$.data.nothing", required: true };
    expect((await plan(rulesOf({ try: shadow({ transform }) }))).shadow).toEqual([
      {
        rule: "default/try",
        targets: ["ci"],
        problem: "the event has nothing at the required path $.data.nothing",
      },
    ]);
  });

  it("stands in the order of paths, each by itself", async () => {
    const failing = shadow({ transform: { path: "$.data.nothing", required: true } });
    const { shadow: matches } = await plan(
      rulesOf({ b: failing, c: shadow({ transform: { constant: 3 } }), a: shadow({ transform: { constant: 1 } }) }),
    );
    expect(matches?.map(({ rule, output }) => [rule, output])).toEqual([
      ["default/a", "1"],
      ["default/b", undefined],
      ["default/c", "3"],
    ]);
  });

  it("leaves an event without a trace of it that it does not match", async () => {
    const { item } = await plan(rulesOf({ try: shadow({ pattern: { type: ["other"] } }), off: { mode: "off" } }));
    expect(item.event).not.toHaveProperty("shadow");
  });
});

describe("a shadow rule never harms live ones", () => {
  const live = { all: { targets: ["audit"] } };

  it("when its matching throws", async () => {
    const rules = rulesOf(live);
    const broken: RuleSet = {
      ...rules,
      matchShadow: () => {
        throw new Error("a bug");
      },
    };
    const { item, logs } = await plan(broken);
    expect(item.deliveries).toHaveLength(1);
    expect(item.event).not.toHaveProperty("shadow");
    expect(logs).toEqual([
      { message: "shadow.bug", fields: { bus: "default", rule: undefined, error: "Error: a bug" } },
    ]);
  });

  it("when its transform throws: that is its record, and the next one's is made", async () => {
    const rules = rulesOf({
      ...live,
      a: shadow({ transform: { constant: 1 } }),
      b: shadow({ transform: { constant: 2 } }),
    });
    const broken: RuleSet = {
      ...rules,
      matchShadow: (bus, view) =>
        rules.matchShadow(bus, view).map((rule) => {
          if (rule.definition.path !== "default/a") return rule;
          return {
            ...rule,
            get transform(): never {
              throw new Error("a bug");
            },
          };
        }),
    };
    const { item, shadow: matches, logs } = await plan(broken);
    expect(item.deliveries).toHaveLength(1);
    expect(matches).toMatchObject([
      { rule: "default/a", problem: "Sluice failed on this rule; see the log line shadow.bug" },
      { rule: "default/b", output: "2" },
    ]);
    expect(logs.map(({ message, fields }) => [message, fields["rule"]])).toEqual([["shadow.bug", "default/a"]]);
  });

  it("when it has more targets than an event may have deliveries", async () => {
    const targets = Array.from({ length: DELIVERIES_PER_EVENT_MAX + 1 }, (_, n) => `t${n}`);
    const rules = ruleSetOf({
      targets: Object.fromEntries(["audit", ...targets].map((name) => [name, {}])),
      rules: { ...live, try: shadow({ targets }) },
    });
    expect((await plan(rules)).item.deliveries).toHaveLength(1);
  });
});

describe("what is kept of shadow rules is bounded", () => {
  it("in rules: the first ones, and a line in the log for the others", async () => {
    const rulesOfCount = (count: number) =>
      rulesOf(Object.fromEntries(Array.from({ length: count }, (_, n) => [`r${100 + n}`, shadow()])));
    const full = await plan(rulesOfCount(SHADOW_RULES_MAX));
    expect(full.shadow).toHaveLength(SHADOW_RULES_MAX);
    expect(full.logs).toEqual([]);
    const over = await plan(rulesOfCount(SHADOW_RULES_MAX + 2));
    expect(over.shadow).toEqual(full.shadow);
    expect(over.logs).toEqual([{ message: "shadow.left-out", fields: { bus: "default", event: "e1", rules: 2 } }]);
  });

  it("in time, counted for the whole request: those that come too late are not worked out", async () => {
    const rules = rulesOf({
      a: shadow({ transform: { constant: 1 } }),
      b: shadow({ transform: { constant: 2 } }),
      c: shadow({ transform: { constant: 3 } }),
      d: shadow(),
    });
    const late = `not worked out: the shadow rules of this request had used up their ${SHADOW_TIME_MS} ms`;
    const outcomesOf = async (transformMs: number) =>
      (await plan(rules, received(), transformMs)).shadow?.map(({ output, problem }) => output ?? problem);
    expect(await outcomesOf(SHADOW_TIME_MS / 2)).toEqual(["1", "2", "3", undefined]);
    expect(await outcomesOf(SHADOW_TIME_MS / 2 + 1)).toEqual(["1", "2", late, undefined]);
    expect(await outcomesOf(SHADOW_TIME_MS + 1)).toEqual(["1", late, late, undefined]);
  });

  it("in bytes of one rule's output, and says how long a cut one was", async () => {
    const full = await plan(rulesOf({ try: ECHO }), received({ text: textOf(SHADOW_OUTPUT_BYTES_MAX) }));
    expect(full.shadow?.[0]?.output).toHaveLength(SHADOW_OUTPUT_BYTES_MAX);
    expect(full.shadow?.[0]).not.toHaveProperty("outputBytes");
    const over = await plan(rulesOf({ try: ECHO }), received({ text: textOf(SHADOW_OUTPUT_BYTES_MAX + 1) }));
    expect(over.shadow?.[0]?.output).toHaveLength(SHADOW_OUTPUT_BYTES_MAX);
    expect(over.shadow?.[0]?.outputBytes).toBe(SHADOW_OUTPUT_BYTES_MAX + 1);
  });

  it("in whole characters", async () => {
    const { shadow: matches } = await plan(
      rulesOf({ try: ECHO }),
      received({ text: "€".repeat(SHADOW_OUTPUT_BYTES_MAX) }),
    );
    const kept = (SHADOW_OUTPUT_BYTES_MAX - 1 - ((SHADOW_OUTPUT_BYTES_MAX - 1) % 3)) / 3;
    expect(matches?.[0]?.output).toBe(`"${"€".repeat(kept)}`);
    expect(matches?.[0]?.outputBytes).toBe(3 * SHADOW_OUTPUT_BYTES_MAX + 2);
  });

  it("in bytes of one event's outputs: the last ones are only counted", async () => {
    const halves = received({ text: textOf(SHADOW_OUTPUT_BYTES_MAX) });
    const fitting = SHADOW_EVENT_BYTES_MAX / SHADOW_OUTPUT_BYTES_MAX;
    const rules = Object.fromEntries(Array.from({ length: fitting + 1 }, (_, n) => [`r${n}`, ECHO]));
    const { shadow: matches } = await plan(rulesOf(rules), halves);
    expect(matches?.map(({ output, outputBytes }) => [output?.length, outputBytes])).toEqual([
      ...Array.from({ length: fitting }, () => [SHADOW_OUTPUT_BYTES_MAX, undefined]),
      [0, SHADOW_OUTPUT_BYTES_MAX],
    ]);
  });

  it("in characters of a problem", async () => {
    const path = `$.data.${"n".repeat(SHADOW_PROBLEM_CHARS_MAX)}`;
    const { shadow: matches } = await plan(rulesOf({ try: shadow({ transform: { path, required: true } }) }));
    expect(matches?.[0]?.problem).toHaveLength(SHADOW_PROBLEM_CHARS_MAX);
  });

  it("so that the longest row stays under what the platform stores", async () => {
    const name = "n".repeat(63);
    const targets = Array.from({ length: 100 }, (_, n) => `${n}`.padStart(63, "t"));
    const names = Array.from({ length: SHADOW_RULES_MAX }, (_, n) => `${n}`.padStart(63, "r"));
    const rules = ruleSetOf({
      targets: Object.fromEntries(targets.map((each) => [each, {}])),
      // Quotes, which are one byte of the text, two of the output and four of the row.
      rules: Object.fromEntries(names.map((each) => [each, shadow({ targets, transform: { path: "$.data.text" } })])),
    });
    const { item, shadow: matches } = await plan(
      rules,
      received({ text: '"'.repeat(SHADOW_OUTPUT_BYTES_MAX) }, { [name]: '"'.repeat(ATTRIBUTES_BYTES_MAX) }),
    );
    expect(matches?.reduce((sum, { output }) => sum + (output?.length ?? 0), 0)).toBe(SHADOW_EVENT_BYTES_MAX);
    const head = new TextEncoder().encode(formatEvent(item.event).event).length;
    expect(head + BODY_BYTES_MAX + DELIVERIES_BYTES_MAX).toBeLessThan(ROW_BYTES_MAX);
  });
});

describe("the output of a transform", () => {
  const outputOf = async (jsonata: string, event = received(), rule = "try"): Promise<string | undefined> => {
    const { shadow: matches } = await plan(rulesOf({ [rule]: shadow({ transform: { jsonata } }) }), event);
    return matches?.[0]?.output ?? matches?.[0]?.problem;
  };

  it("is the body, where the event around it stays the one that came in", async () => {
    expect(await outputOf("type", received("text", { datacontenttype: "text/plain" }))).toBe('"t"');
  });

  it("is the whole event, where the transform has made one", async () => {
    const made = '{ "specversion": "1.0", "id": id, "source": source, "type": "new", "data": { "n": data.id } }';
    expect(JSON.parse((await outputOf(made)) ?? "")).toMatchObject({ id: "e1", type: "new", data: { n: 7 } });
    const bare = '{ "specversion": "1.0", "id": id, "source": "/other", "type": type }';
    expect(JSON.parse((await outputOf(bare)) ?? "")).toEqual({
      specversion: "1.0",
      id: "e1",
      source: "/other",
      type: "t",
    });
  });

  it("has the time of arrival for the present, and chance that is the same each time and another for another rule", async () => {
    expect(await outputOf("$millis()")).toBe(String(ARRIVED_AT));
    const drawn = await outputOf("$random()");
    expect(Number(drawn)).toBeGreaterThan(0);
    expect(await outputOf("$random()")).toBe(drawn);
    expect(await outputOf("$random()", received(), "other")).not.toBe(drawn);
  });
});
