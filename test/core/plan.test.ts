import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventView } from "../../src/core/event.ts";
import { matchesPattern } from "../../src/core/matcher.ts";
import { parsePattern } from "../../src/core/pattern.ts";
import { changedSources, changedTargets, movedSources, pairRules } from "../../src/core/plan-pairs.ts";
import { BODY_EXAMPLE_CHARS_MAX, EXAMPLES_MAX } from "../../src/core/plan-tally.ts";
import type { PlanEvent, RulePlan, RulesPlan } from "../../src/core/plan.ts";
import { planChanges } from "../../src/core/plan.ts";
import type { Json } from "../../src/core/result.ts";
import type { RuleDefinition, RuleMode, Running, TargetDefinition } from "../../src/core/rule.ts";
import { targetMark } from "../../src/core/target-mark.ts";
import { hashing } from "../../src/hashing.ts";

const ACCEPTED_AT = Date.UTC(2026, 0, 1);

function ruleOf(name: string, changes: Partial<RuleDefinition> = {}): RuleDefinition {
  const pattern = { type: ["order"] };
  return { path: `default/${name}`, bus: "default", pattern, targets: ["ci"], mode: "live", ...changes };
}

function eventOf(name: string, data: Json, changes: Partial<PlanEvent> & { readonly type?: string } = {}): PlanEvent {
  const { type = "order", ...others } = changes;
  const attributes = { specversion: "1.0", id: name, source: "/s", type, datacontenttype: "application/json" } as const;
  const body = new TextEncoder().encode(JSON.stringify(data));
  return { name, bus: "default", acceptedAt: ACCEPTED_AT, event: { attributes, body }, ...others };
}

const EVENTS = [
  eventOf("a", { n: 1 }),
  eventOf("b", { n: 2 }),
  eventOf("c", { n: 3 }),
  eventOf("d", {}, { type: "x" }),
];

async function planOf(
  before: readonly RuleDefinition[],
  after: readonly RuleDefinition[],
  events: readonly PlanEvent[] = EVENTS,
): Promise<RulesPlan> {
  const planned = await planChanges(before, after, [events]);
  if (!planned.ok) throw new Error(planned.error.detail);
  return planned.value;
}

async function rulePlanOf(
  before: readonly RuleDefinition[],
  after: readonly RuleDefinition[],
  events?: readonly PlanEvent[],
): Promise<RulePlan> {
  const { rules } = await planOf(before, after, events);
  expect(rules).toHaveLength(1);
  return rules[0] as RulePlan;
}

const n = (value: number) => ({ type: ["order"], data: { n: [{ numeric: [">=", value] }] } });
const text = (body: Json) => ({ template: { paths: { n: "$.data.n" }, body } });
const requiring = (path: string) => ({ path, required: true });

describe("a plan of sources", () => {
  const github = { name: "github", kind: "github", bus: "default" };
  const events = { name: "events", kind: "cloudevents", bus: "default" };

  it("has those that are new, gone, of another kind or on another bus", () => {
    const moved = [
      { ...github, bus: "shop" },
      { name: "new", kind: "github", bus: "default" },
    ];
    expect(changedSources([github, events], [github, events])).toEqual([]);
    expect(changedSources([github, events], moved)).toEqual([
      { name: "events", kind: "removed" },
      { name: "github", kind: "bus", before: "default", after: "shop" },
      { name: "new", kind: "added" },
    ]);
    const other = [{ ...github, kind: "standard-webhooks", bus: "shop" }];
    expect(changedSources([github], other)).toEqual([
      { name: "github", kind: "kind", before: "github", after: "standard-webhooks" },
      { name: "github", kind: "bus", before: "default", after: "shop" },
    ]);
    expect([...movedSources(changedSources([github, events], moved))]).toEqual([
      ["events", null],
      ["github", "shop"],
    ]);
  });

  it("has their events matched by the rules of the bus that they come to", async () => {
    const onShop = { bus: "shop", path: "shop/r" };
    const rules = [ruleOf("r"), ruleOf("s", { pattern: { type: ["x"] } }), ruleOf("r", onShop)];
    const came = [
      eventOf("a", {}, { from: "github" }),
      eventOf("b", {}, { from: "events" }),
      eventOf("c", {}, { from: "gone" }),
      eventOf("d", {}),
    ];
    const moves = new Map([
      ["github", "shop"],
      ["gone", null],
    ]);
    const planned = await planChanges(rules, rules, [came], () => {}, moves);
    if (!planned.ok) throw new Error(planned.error.detail);
    const { rules: changed, unchangedRuleCount } = planned.value;
    expect(unchangedRuleCount).toBe(1);
    expect(changed).toMatchObject([
      {
        path: "default/r",
        kind: "changed",
        changes: [],
        live: { noLongerMatched: { examples: ["a", "c"] }, stillMatchedCount: 2 },
      },
      {
        path: "shop/r",
        kind: "changed",
        changes: [],
        live: { newlyMatched: { examples: ["a"] }, noLongerMatched: { count: 0 } },
      },
    ]);
  });

  it("compares the bodies of a rule that is changed too for events that stay", async () => {
    const [before, after] = [[ruleOf("r")], [ruleOf("r", { transform: text("x") })]];
    const came = [eventOf("a", {}, { from: "github" }), eventOf("b", {}, { from: "events" })];
    const planned = await planChanges(before, after, [came], () => {}, new Map([["github", null]]));
    expect(planned).toMatchObject({
      value: { rules: [{ live: { noLongerMatched: { examples: ["a"] }, bodyChanged: { examples: ["b"] } } }] },
    });
  });
});

describe("a plan of rules that are the same", () => {
  it("has none of them, whatever their descriptions and the order of targets and of a pattern's members", async () => {
    const before = ruleOf("r", { pattern: { type: ["order"], source: ["/s"] }, targets: ["a", "b"] });
    const pattern = { source: ["/s"], type: ["order"] };
    const after = ruleOf("r", { pattern, targets: ["b", "a"], description: "the same" });
    expect(await planOf([before], [after])).toEqual({ eventCount: 4, rules: [], unchangedRuleCount: 1 });
  });

  it("reads none of their patterns and no event", async () => {
    const rule = ruleOf("r", { pattern: "no pattern" });
    const event = eventOf("a", {});
    const unread = new Proxy(event.event, {
      get: () => {
        throw new Error("it was read");
      },
    });
    expect((await planOf([rule], [rule], [{ ...event, event: unread }])).eventCount).toBe(1);
  });
});

describe("a plan of a rule", () => {
  it("that is new names the events that it matches", async () => {
    const rule = await rulePlanOf([], [ruleOf("r", { pattern: n(2) })]);
    expect(rule).toMatchObject({ path: "default/r", kind: "added", changes: [] });
    expect(rule.live).toMatchObject({ newlyMatched: { count: 2, examples: ["b", "c"] }, stillMatchedCount: 0 });
  });

  it("that is gone names those that it matched", async () => {
    const rule = await rulePlanOf([ruleOf("r")], []);
    expect(rule).toMatchObject({ kind: "removed", live: { noLongerMatched: { count: 3, examples: ["a", "b", "c"] } } });
  });

  it("with another pattern tells what is newly and what is no longer matched", async () => {
    const until2 = { type: ["order"], data: { n: [{ numeric: ["<=", 2] }] } };
    const rule = await rulePlanOf([ruleOf("r", { pattern: until2 })], [ruleOf("r", { pattern: n(2) })]);
    expect(rule.changes).toEqual([{ kind: "pattern" }]);
    expect(rule.live).toMatchObject({
      newlyMatched: { count: 1, examples: ["c"] },
      noLongerMatched: { count: 1, examples: ["a"] },
      stillMatchedCount: 1,
      bodyChanged: { count: 0, examples: [] },
    });
  });

  it("with another transform shows one body before and after", async () => {
    const before = ruleOf("r", { transform: text({ was: "<n>" }) });
    const rule = await rulePlanOf([before], [ruleOf("r", { transform: text({ is: "<n>" }) })]);
    expect(rule.live).toMatchObject({ bodyChanged: { count: 3, examples: ["a", "b", "c"] }, stillMatchedCount: 3 });
    expect(rule.bodyExample).toEqual({ event: "a", before: '{"was":1}', after: '{"is":1}' });
  });

  it("with another transform counts only events whose bodies change", async () => {
    const rule = await rulePlanOf(
      [ruleOf("r", { transform: { path: "$.data.n" } })],
      [ruleOf("r", { transform: { path: "$.data.m" } })],
      [eventOf("same", { n: 1, m: 1 }), eventOf("other", { n: 1, m: 2 })],
    );
    expect(rule.live.bodyChanged).toEqual({ count: 1, examples: ["other"] });
  });

  it("that gets a transform compares with the payload as it came", async () => {
    const rule = await rulePlanOf(
      [ruleOf("r")],
      [ruleOf("r", { transform: { path: "$.data" } })],
      [
        { ...EVENTS[0], event: { ...EVENTS[0]?.event, body: new TextEncoder().encode('{"n": 1.0}') } } as PlanEvent,
        eventOf("b", { n: 2 }),
      ],
    );
    expect(rule.live.bodyChanged).toEqual({ count: 1, examples: ["a"] });
    expect(rule.bodyExample).toEqual({ event: "a", before: '{"n": 1.0}', after: '{"n":1}' });
  });

  it("shows whole events where more than the body differs", async () => {
    const { datacontenttype: _none, ...attributes } = EVENTS[0]?.event.attributes ?? {};
    const event = { ...EVENTS[0], event: { ...EVENTS[0]?.event, attributes } } as PlanEvent;
    const rule = await rulePlanOf([ruleOf("r")], [ruleOf("r", { transform: { path: "$.data" } })], [event]);
    expect(rule.bodyExample?.before).toContain('"specversion":"1.0"');
    expect(rule.bodyExample?.after).toContain('"datacontenttype":"application/json"');
  });

  it("counts transforms that fail where they did not, and those that no longer do", async () => {
    const [needsA, needsB] = [
      ruleOf("r", { transform: requiring("$.data.a") }),
      ruleOf("r", { transform: requiring("$.data.b") }),
    ];
    const events = [eventOf("onlyA", { a: 1 }), eventOf("onlyB", { b: 1 }), eventOf("none", {})];
    const rule = await rulePlanOf([needsA], [needsB], events);
    expect(rule.live).toMatchObject({
      failuresNew: { count: 1, examples: ["onlyA"] },
      failuresGone: { count: 1, examples: ["onlyB"] },
      bodyChanged: { count: 0 },
    });
    expect(rule.failureDetail).toContain("$.data.b");
    const added = await rulePlanOf([], [needsB], events);
    expect(added.live.failuresNew).toEqual({ count: 2, examples: ["onlyA", "none"] });
  });

  it("tells targets, mode and order apart, and how many events they concern", async () => {
    const order = { by: "key", onFailure: { kind: "block" }, gapWaitMs: 0 } as const;
    const rule = await rulePlanOf(
      [ruleOf("r", { targets: ["ci", "old"] })],
      [ruleOf("r", { targets: ["ci", "new"], order })],
    );
    expect(rule.changes).toEqual([
      { kind: "targets", added: ["new"], removed: ["old"] },
      { kind: "order", after: order },
    ]);
    expect(rule.live).toMatchObject({ stillMatchedCount: 3, newlyMatched: { count: 0 }, bodyChanged: { count: 0 } });
  });

  it("sees each bus's events only", async () => {
    const shop = { ...ruleOf("r"), path: "shop/r", bus: "shop" };
    const events = [...EVENTS, eventOf("e", { n: 9 }, { bus: "shop" }), eventOf("f", { n: 9 }, { bus: "nobody" })];
    const rule = await rulePlanOf([], [shop], events);
    expect(rule.live.newlyMatched).toEqual({ count: 1, examples: ["e"] });
  });
});

describe("a rule's mode", () => {
  const matched = { count: 3, examples: ["a", "b", "c"] };
  const none = { count: 0, examples: [] };
  const cases: readonly (readonly [RuleMode, RuleMode, object, object])[] = [
    ["live", "off", { noLongerMatched: matched, newlyMatched: none }, { noLongerMatched: none }],
    ["off", "live", { newlyMatched: matched, noLongerMatched: none }, { newlyMatched: none }],
    ["live", "shadow", { noLongerMatched: matched, newlyMatched: none }, { newlyMatched: matched }],
    ["shadow", "live", { newlyMatched: matched, noLongerMatched: none }, { noLongerMatched: matched }],
    ["shadow", "off", { newlyMatched: none, noLongerMatched: none }, { noLongerMatched: matched }],
  ];

  it.each(cases)("that goes from %s to %s is counted by what is live", async (before, after, live, shadow) => {
    const rule = await rulePlanOf([ruleOf("r", { mode: before })], [ruleOf("r", { mode: after })]);
    expect(rule.changes).toEqual([{ kind: "mode", before, after }]);
    expect(rule).toMatchObject({ live, shadow });
  });

  it("that stays shadow is counted there", async () => {
    const [before, after] = ["a", "b"].map((word) => ruleOf("r", { mode: "shadow", transform: text(`${word}<n>`) }));
    const rule = await rulePlanOf([before as RuleDefinition], [after as RuleDefinition]);
    expect(rule.shadow.bodyChanged.count).toBe(3);
    expect(rule.live.bodyChanged.count).toBe(0);
  });
});

describe("what is kept", () => {
  it(`is ${EXAMPLES_MAX} names of each, however many there are (EXAMPLES_MAX)`, async () => {
    const events = Array.from({ length: 50 }, (_, index) => eventOf(`e${index}`, {}));
    const rule = await rulePlanOf([], [ruleOf("r")], events);
    expect(rule.live.newlyMatched).toEqual({ count: 50, examples: ["e0", "e1", "e2"].slice(0, EXAMPLES_MAX) });
  });

  it("is the first changed body that is not too large (BODY_EXAMPLE_CHARS_MAX)", async () => {
    const [before, after] = [
      ruleOf("r", { transform: { path: "$.data.a" } }),
      ruleOf("r", { transform: { path: "$.data.b" } }),
    ];
    // Quotes take two of the characters.
    const bodyOf = (chars: number) => ({ a: 1, b: "x".repeat(chars - 2) });
    const [fits, over] = [
      eventOf("fits", bodyOf(BODY_EXAMPLE_CHARS_MAX)),
      eventOf("over", bodyOf(BODY_EXAMPLE_CHARS_MAX + 1)),
    ];
    expect((await rulePlanOf([before], [after], [over, fits])).bodyExample?.event).toBe("fits");
    const large = await rulePlanOf([before], [after], [over]);
    expect(large.live.bodyChanged.count).toBe(1);
    expect(large.bodyExample).toBeUndefined();
  });

  it("grows with the events that are asked for one batch at a time", async () => {
    let asked = 0;
    const seen: number[] = [];
    async function* batches() {
      for (; asked < 3; asked++) {
        expect(seen).toHaveLength(2 * asked);
        yield [eventOf(`e${asked}`, {}), eventOf(`f${asked}`, {})];
      }
    }
    const planned = await planChanges([], [ruleOf("r")], batches(), (count) => void seen.push(count));
    expect(planned).toMatchObject({ ok: true, value: { eventCount: 6 } });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("a definition that can't be read", () => {
  it.each([
    ["before", "pattern", [ruleOf("r", { pattern: { type: "order" } })], [ruleOf("r")]],
    ["after", "pattern.type", [ruleOf("r")], [ruleOf("r", { pattern: { type: "order" } })]],
    ["before", "transform", [ruleOf("r", { transform: { xslt: "" } })], []],
  ] as const)("is named with its side: %s, %s", async (side, where, before, after) => {
    const planned = await planChanges(before, after, []);
    expect(planned).toMatchObject({ ok: false, error: { reason: "unreadable-rule", rule: "default/r", side } });
    expect(planned.ok ? "" : planned.error.detail).toContain(where);
  });
});

describe("a plan of any two sets of rules", () => {
  const modes = fc.constantFrom<RuleMode>("live", "shadow", "off");
  const patterns = fc.constantFrom<Json>(n(1), n(2), n(3), { type: ["x"] }, { type: [{ "anything-but": ["x"] }] });
  const rules = fc.uniqueArray(fc.record({ name: fc.constantFrom("r", "s", "t"), mode: modes, pattern: patterns }), {
    selector: ({ name }) => name,
  });

  it("counts what matching every event with every rule, one by one, counts", async () => {
    await fc.assert(
      fc.asyncProperty(rules, rules, async (befores, afters) => {
        const [before, after] = [befores, afters].map((each) =>
          each.map(({ name, mode, pattern }) => ruleOf(name, { mode, pattern })),
        ) as [RuleDefinition[], RuleDefinition[]];
        const wants = (
          side: readonly RuleDefinition[],
          path: string,
          mode: RuleMode,
          { event }: PlanEvent,
        ): boolean => {
          const rule = side.find((each) => each.path === path && each.mode === mode);
          const pattern = rule && parsePattern(rule.pattern);
          return pattern?.ok === true && matchesPattern(pattern.value, eventView(event));
        };
        for (const rule of (await planOf(before, after)).rules) {
          for (const mode of ["live", "shadow"] as const) {
            const count = (was: boolean, is: boolean) =>
              EVENTS.filter(
                (event) => wants(before, rule.path, mode, event) === was && wants(after, rule.path, mode, event) === is,
              ).length;
            const { newlyMatched, noLongerMatched, stillMatchedCount } = rule[mode];
            expect([newlyMatched.count, noLongerMatched.count, stillMatchedCount]).toEqual([
              count(false, true),
              count(true, false),
              count(true, true),
            ]);
          }
        }
        const { changed, unchanged } = pairRules(before, after);
        expect(changed.length + unchanged.length).toBe(new Set([...before, ...after].map(({ path }) => path)).size);
      }),
      { numRuns: 200 },
    );
  });
});

describe("targets", () => {
  const definition: Running<TargetDefinition> = {
    name: "ci",
    kind: "http",
    config: { http: "https://ci.example.com/secret-path" },
    timeoutMs: 15_000,
    retryDelaysMs: [5_000],
    maxAgeMs: 60_000,
  };
  const mark = (changes: Partial<Running<TargetDefinition>> = {}) =>
    targetMark({ ...definition, ...changes }, hashing.sha256);

  it("are marked with a short hash of all their settings, and never by where they send to", () => {
    expect(mark()).toEqual({ name: "ci", kind: "http", hash: expect.stringMatching(/^[0-9a-f]{12}$/) });
    const others = [
      mark({ config: { http: "https://ci.example.com/other" } }),
      mark({ timeoutMs: 1 }),
      mark({ limits: { concurrency: 1 } }),
    ];
    expect(new Set([mark(), ...others].map(({ hash }) => hash)).size).toBe(4);
  });

  it("are added, removed, or have other settings", () => {
    const before = [mark({ name: "gone" }), mark({ name: "same" }), mark({ name: "other" })];
    const after = [mark({ name: "same" }), mark({ name: "new" }), mark({ name: "other", timeoutMs: 1 })];
    expect(changedTargets(before, after)).toEqual([
      { name: "gone", kind: "removed" },
      { name: "new", kind: "added" },
      { name: "other", kind: "settings" },
    ]);
    const { hash: _none, ...older } = mark();
    expect(changedTargets([older], [mark()])).toEqual([]);
  });
});
