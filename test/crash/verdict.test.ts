import { describe, expect, it } from "vitest";
import { reportLines } from "./report.ts";
import type { AnswerRecord, Arrival, Evidence } from "./verdict.ts";
import { judge } from "./verdict.ts";

const accepted: AnswerRecord = { id: "e1", kind: "event", httpStatus: 202, status: "accepted", receipt: "evt_1" };
const arrival: Arrival = { target: "a", event: "e1", webhookId: "dlv_1", bodyHash: "hash", succeeded: true };
const event = { id: "e1", refused: false, bodyHash: "hash", targets: ["a"] };

function evidence(change: Partial<Evidence>): Evidence {
  return {
    targets: ["a", "b"],
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
        arrivals: [{ ...arrival, succeeded: false }, arrival],
        dead: [{ target: "a", event: "e2" }],
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
    expect(brokenBy({ answers: [{ id: "e1", kind: "event", httpStatus: 503 }], arrivals: [] })).toEqual([]);
    expect(brokenBy({ answers: [] })).toEqual([]);
  });

  it.each<[string, Partial<Evidence>, string]>([
    ["an event that never arrives", { arrivals: [] }, "e1 was acknowledged; a never got it"],
    ["one whose requests all failed", { arrivals: [{ ...arrival, succeeded: false }] }, "a never got it"],
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

describe("the crash test's report", () => {
  it("has a row per target and all of them together, and says what was lost", () => {
    const lines = reportLines(judge(evidence({ arrivals: [] })), { kills: 2, seed: 5, seconds: 3 });
    expect(lines[0]).toBe("2 kills, seed 5, 3 s: 1 events acknowledged");
    expect(lines[1]).toBe("answers: 1 accepted");
    expect(lines.slice(3, 7).map((line) => line.split(/\s+/).join(" "))).toEqual([
      "target kills acknowledged delivered repeats dead lost",
      "a 2 1 0 0 0 1",
      "b 2 0 0 0 0 0",
      "all 2 1 0 0 0 1",
    ]);
    expect(lines.slice(-2)).toEqual([
      "1 broken:",
      "  e1 was acknowledged; a never got it and it is not in the dead list",
    ]);
  });
});
