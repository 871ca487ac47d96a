/** The events of a simulated day: what is sent when, and what is sent again. */
import type { Chance } from "./chance.ts";
import type { Features } from "./features.ts";
import type { Senders, SimulatedEvent } from "./senders.ts";
import type { Setting } from "./setting.ts";
import { CHAOS_MS } from "./setting.ts";

const SENT_MS = CHAOS_MS / 2;
const NOISE_BATCHES = 3;
const NOISE_EVENTS = 100;
/** Numbers that are never sent, and that are sent much later than their successors. */
const MISSING = 0.1;
const LATE = 0.1;
const LATE_MS = 120_000;
const RESTART_MS = 10_000;
/** On some days events come in bursts: so often, and so long. */
const BURST_EVERY_MS = 100_000;
const BURST_MS = 40;

/** Plans everything on the timeline; answers how many events there are. `restart` starts all objects anew. */
export function planTraffic({ timeline, chance, features }: Setting, senders: Senders, restart: () => void): number {
  const events = chance.between(4, 20);
  const moment = () => {
    const at = chance.below(SENT_MS);
    return features.bursts ? at - (at % BURST_EVERY_MS) + chance.below(BURST_MS) : at;
  };
  const times = Array.from({ length: events }, moment).toSorted((a, b) => a - b);
  const numbers = new Map<string, number>();
  let batch: SimulatedEvent[] = [];
  let sent = 0;

  for (const [index, time] of times.entries()) {
    const event = chooseEvent(`event-${index}`, features, chance);
    const sequence = event.type === "sim.s" ? chooseNumber(event, numbers, chance) : undefined;
    const numbered = sequence === undefined ? event : { ...event, sequence };
    const at = sequence !== undefined && chance.happens(LATE) ? time + chance.below(LATE_MS) : time;
    batch.push(numbered);
    planRepeats(numbered, at);
    sent += 1;
    if (features.batches && chance.happens(0.5)) continue;
    const request = batch;
    batch = [];
    timeline.after(at, () => senders.send(request));
  }
  if (batch.length > 0) timeline.after(SENT_MS, () => senders.send(batch));
  if (features.replies && chance.happens(0.5)) planLoop("loop.r");
  if (features.pipes && chance.happens(0.5)) planLoop("loop.p");
  if (features.noise) planNoise();
  return sent;

  function planRepeats(event: SimulatedEvent, at: number): void {
    const { id } = event;
    for (let repeats = chance.pick(features.moves > 0 ? [0, 1, 2, 3] : [0, 0, 1, 2]); repeats > 0; repeats--) {
      const isAltered = chance.happens(0.2);
      const isRedelivery = features.redeliveries && chance.happens(0.6);
      // Some come when everything is calm, or has ended long since.
      const wait = isRedelivery && chance.happens(0.4) ? chance.below(3 * CHAOS_MS) : chance.below(SENT_MS);
      timeline.after(at + 1_000 + wait, () => {
        if (senders.acknowledged.has(id)) senders.send([{ ...event, isAltered, isRedelivery }]);
      });
    }
    if (features.replays === "ignore" || !chance.happens(0.3)) return;
    timeline.after(at + 1_000 + chance.below(SENT_MS), () => {
      if (senders.acknowledged.has(id)) senders.send([{ ...withoutNumber(event), id: `${id}-copy` }]);
    });
  }

  function planLoop(type: string): void {
    const id = `event-${type}`;
    sent += 1;
    timeline.after(chance.below(SENT_MS), () => senders.send([{ id, type, key: "x", contentOf: id }]));
  }

  /** More events than the partition's newest, whose content it reads again at every start; then an older one comes again. */
  function planNoise(): void {
    const old: SimulatedEvent = { id: "event-old", type: "sim.a", key: "x", contentOf: "event-old" };
    sent += 1;
    timeline.after(0, () => senders.send([old]));
    timeline.after(SENT_MS + RESTART_MS, restart);
    timeline.after(SENT_MS + 2 * RESTART_MS, () => {
      if (senders.acknowledged.has(old.id)) senders.send([{ ...old, id: "event-old-copy" }]);
    });
    for (let n = 0; n < NOISE_BATCHES; n++) {
      const ids = Array.from({ length: NOISE_EVENTS }, (_, index) => `noise-${n}-${index}`);
      sent += ids.length;
      timeline.after(SENT_MS / 2 + n * 5_000, () =>
        senders.send(ids.map((id) => ({ id, type: "noise", key: "x", contentOf: id }))),
      );
    }
  }
}

function chooseEvent(id: string, features: Features, chance: Chance): SimulatedEvent {
  const types = [
    "a",
    "b",
    "c",
    ...(features.numbered ? ["s", "s", "s"] : []),
    ...(features.replies ? ["r"] : []),
    ...(features.pipes ? ["p", "p"] : []),
  ];
  const key = chance.pick(["x", "y", "z"]);
  const event = { id, type: `sim.${chance.pick(types)}`, key, contentOf: id };
  return chance.happens(0.5) ? { ...event, orderKey: `${key}-${chance.between(1, 2)}` } : event;
}

/** The next of its lane, with a gap now and then. */
function chooseNumber(event: SimulatedEvent, numbers: Map<string, number>, chance: Chance): number | undefined {
  if (chance.happens(0.05)) return undefined;
  const lane = event.orderKey ?? event.key;
  const next = (numbers.get(lane) ?? chance.pick([-1, 0])) + 1 + (chance.happens(MISSING) ? chance.between(1, 2) : 0);
  numbers.set(lane, next);
  return next;
}

function withoutNumber({ sequence: _number, ...event }: SimulatedEvent): SimulatedEvent {
  return event;
}
