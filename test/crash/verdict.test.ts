import { describe, expect, it } from "vitest";
import { reportLines } from "./report.ts";
import type { AnswerRecord, Arrival, Evidence } from "./verdict.ts";
import { judge } from "./verdict.ts";

const accepted: AnswerRecord = {
  id: "e1",
  at: 20,
  kind: "event",
  httpStatus: 202,
  status: "accepted",
  receipt: "evt_1",
};
const arrival: Arrival = { target: "a", event: "e1", webhookId: "dlv_1", bodyHash: "hash", at: 30, succeededAt: 31 };
const { succeededAt: _, ...failed } = arrival;
const event = { id: "e1", refused: false, bodyHash: "hash", targets: ["a"], sentAt: 10 };

function evidence(change: Partial<Evidence>): Evidence {
  return {
    targets: ["a", "b"],
    orderedTargets: [],
    sent: new Map([
      ["e1", event],
      ["e2", { ...event, id: "e2" }],
      ["forged", { ...event, id: "forged", refused: true, targets: [] }],
    ]),
    answers: [accepted],
    arrivals: [arrival],
    dead: [],
    ...change,
  };
}

const brokenBy = (change: Partial<Evidence>): readonly string[] => judge(evidence(change)).broken;

describe("the crash test's verdict", () => {
  it("counts what was acknowledged, delivered, repeated and dead", () => {
    const verdict = judge(
      evidence({
        answers: [accepted, { ...accepted, status: "duplicate" }, { ...accepted, id: "e2", receipt: "evt_2" }],
        arrivals: [failed, arrival],
        dead: [{ target: "a", event: "e2", at: 40 }],
      }),
    );
    expect(verdict).toEqual({
      acknowledged: 2,
      counts: [
        { target: "a", acknowledged: 2, delivered: 1, repeats: 1, dead: 1, lost: 0 },
        { target: "b", acknowledged: 0, delivered: 0, repeats: 0, dead: 0, lost: 0 },
      ],
      answers: { accepted: 2, duplicate: 1 },
      broken: [],
    });
  });

  it("asks nothing of an event that was not acknowledged", () => {
    expect(brokenBy({ answers: [{ id: "e1", at: 20, kind: "event", httpStatus: 503 }], arrivals: [] })).toEqual([]);
    expect(brokenBy({ answers: [] })).toEqual([]);
  });

  it.each<[string, Partial<Evidence>, string]>([
    ["an event that never arrives", { arrivals: [] }, "e1 was acknowledged; a never got it"],
    ["one whose requests all failed", { arrivals: [failed] }, "a never got it"],
    ["one acknowledged by the status alone", { answers: [{ ...accepted, id: "e2" }] }, "e2 was acknowledged"],
    ["an id accepted twice", { answers: [accepted, accepted] }, "e1 was accepted twice"],
    [
      "a duplicate with another receipt",
      { answers: [accepted, { ...accepted, status: "duplicate", receipt: "evt_9" }] },
      "e1 got two receipts",
    ],
    ["an answer of 500", { answers: [accepted, { ...accepted, httpStatus: 500 }] }, "e1 (event) was answered 500"],
    [
      "a forgery that is accepted",
      { answers: [accepted, { ...accepted, id: "forged", kind: "forged", receipt: "evt_3" }] },
      "forged (forged) was answered 202",
    ],
    [
      "other content under a known id that is accepted",
      { answers: [accepted, { ...accepted, kind: "altered", status: "duplicate" }] },
      "e1 (altered) was answered 202",
    ],
    [
      "a delivery of what was never sent",
      { arrivals: [arrival, { ...arrival, event: "e9", webhookId: "dlv_9" }] },
      "e9 was never sent and arrived at a",
    ],
    [
      "a delivery of what was refused",
      { arrivals: [arrival, { ...arrival, event: "forged", webhookId: "dlv_9" }] },
      "forged must be refused and arrived at a",
    ],
    [
      "a delivery that no rule asks for",
      { arrivals: [arrival, { ...arrival, target: "b", webhookId: "dlv_9" }] },
      "e1 arrived at b, where no rule sends it",
    ],
    ["other content", { arrivals: [arrival, { ...arrival, bodyHash: "other" }] }, "e1 arrived at a with other content"],
    [
      "a repeat under another webhook-id",
      { arrivals: [arrival, { ...arrival, webhookId: "dlv_2" }] },
      "e1 arrived at a under two webhook-ids",
    ],
    [
      "one webhook-id for two deliveries",
      { arrivals: [arrival, { ...arrival, event: "e2" }] },
      "e2 arrived at a under another delivery's webhook-id",
    ],
  ])("finds %s", (_, change, sentence) => {
    expect(brokenBy(change)).toEqual([expect.stringContaining(sentence)]);
  });
});

describe("order in a lane", () => {
  // e1 comes before e2: its answer was there at 20, and e2 was sent at 25.
  const [first, second] = [
    { ...event, lane: "l" },
    { ...event, id: "e2", lane: "l", sentAt: 25 },
  ];
  const answers = [accepted, { ...accepted, id: "e2", receipt: "evt_2", at: 28 }];
  const next = { ...arrival, event: "e2", webhookId: "dlv_2", at: 40, succeededAt: 41 };
  const judged = (change: Partial<Evidence>, events = [first, second]) => {
    const sent = new Map(events.map((each) => [each.id, each]));
    const verdict = judge(evidence({ orderedTargets: ["a"], sent, answers, arrivals: [arrival, next], ...change }));
    return { outOfOrder: verdict.counts[0]?.outOfOrder, lost: verdict.counts[0]?.lost, broken: verdict.broken };
  };
  const inOrder = { outOfOrder: 0, lost: 0, broken: [] };

  it.each<[string, Partial<Evidence>]>([
    ["one after the other", {}],
    [
      "failures before the success, and a repeat of what was not known to have arrived",
      {
        arrivals: [{ ...failed, at: 29 }, arrival, { ...arrival, at: 35 }, next],
      },
    ],
    [
      "an event that is dead before the next one arrives",
      {
        arrivals: [failed, next],
        dead: [{ target: "a", event: "e1", at: 39 }],
      },
    ],
    [
      "one before it that was refused, or whose answer never came",
      {
        answers: answers.slice(1),
        arrivals: [next, { ...arrival, at: 50, succeededAt: 51 }],
      },
    ],
  ])("holds with %s", (__, change) => {
    expect(judged(change)).toEqual(inOrder);
  });

  it.each<[string, Partial<Evidence>, string]>([
    [
      "an event that overtakes",
      { arrivals: [{ ...arrival, at: 50, succeededAt: 51 }, next] },
      "e2 arrived at a before e1",
    ],
    [
      "one that comes between the tries of the one before it",
      {
        arrivals: [failed, next, { ...arrival, at: 50, succeededAt: 51 }],
      },
      "e2 arrived at a before e1",
    ],
    [
      "one that comes while the one before it is still being answered",
      {
        arrivals: [{ ...arrival, succeededAt: 45 }, next],
      },
      "e2 arrived at a before e1",
    ],
    [
      "one that comes before the one before it is dead",
      {
        arrivals: [failed, next],
        dead: [{ target: "a", event: "e1", at: 41 }],
      },
      "e2 arrived at a before e1",
    ],
    [
      "one that comes again when the next one has come",
      {
        arrivals: [arrival, next, { ...arrival, at: 50, succeededAt: 51 }],
      },
      "e1 arrived at a again after e2",
    ],
  ])("is broken by %s", (__, change, sentence) => {
    expect(judged(change)).toMatchObject({ outOfOrder: 1, broken: [expect.stringContaining(sentence)] });
  });

  it("is broken by an event that overtakes even if nobody heard that it was accepted", () => {
    expect(judged({ answers: [accepted], arrivals: [{ ...arrival, at: 50, succeededAt: 51 }, next] })).toMatchObject({
      outOfOrder: 1,
    });
  });

  it("is broken by what follows a lost event", () => {
    expect(judged({ arrivals: [next] })).toMatchObject({ outOfOrder: 1, lost: 1 });
  });

  it("counts every request that is out of order", () => {
    const arrivals = [next, { ...next, at: 45, succeededAt: 46 }, { ...arrival, at: 50, succeededAt: 51 }];
    expect(judged({ arrivals })).toMatchObject({ outOfOrder: 2 });
  });

  it("is not judged between events that were sent at the same time, of two lanes, or at a target without order", () => {
    const overtaken = { arrivals: [{ ...arrival, at: 50, succeededAt: 51 }, next] };
    expect(judged(overtaken, [first, { ...second, sentAt: 19 }])).toEqual(inOrder);
    expect(judged(overtaken, [first, { ...second, lane: "m" }])).toEqual(inOrder);
    expect(judged({ ...overtaken, orderedTargets: [] })).toEqual({ ...inOrder, outOfOrder: undefined });
  });
});

describe("the crash test's report", () => {
  it("has a row per target and all of them together, and says what was lost", () => {
    const lines = reportLines(judge(evidence({ arrivals: [] })), { kills: 2, seed: 5, seconds: 3 });
    expect(lines[0]).toBe("2 kills, seed 5, 3 s: 1 events acknowledged");
    expect(lines[1]).toBe("answers: 1 accepted");
    expect(lines.slice(3, 7).map((line) => line.split(/\s+/).join(" "))).toEqual([
      "target kills acknowledged delivered repeats dead lost out of order",
      "a 2 1 0 0 0 1 -",
      "b 2 0 0 0 0 0 -",
      "all 2 1 0 0 0 1 0",
    ]);
    expect(lines.slice(-2)).toEqual([
      "1 broken:",
      "  e1 was acknowledged; a never got it and it is not in the dead list",
    ]);
  });
});
