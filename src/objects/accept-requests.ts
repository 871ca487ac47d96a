/**
 * One request to accept events, and one of a newer layout to tell what is known of them: whether it may, and each of its events in
 * turn. Runs within the ledger's transaction.
 */
import type { AcceptAnswer, AcceptItem, AcceptRequest, KnownReply } from "../bus/ports.ts";
import type { Lease } from "../core/delivery.ts";
import type { AcceptContext, Acceptance } from "./acceptance.ts";
import type { Archive } from "./archive.ts";
import type { BacklogLimit } from "./backlog-limit.ts";
import { BACKLOG_RETRY_AFTER_SECONDS } from "./backlog-limit.ts";
import type { LanesElsewhere } from "./lanes-elsewhere.ts";
import type { Lanes } from "./lanes.ts";
import type { Succession } from "./succession.ts";
import type { TargetStates } from "./target-states.ts";

export interface AcceptRequests {
  readonly accept: (request: AcceptRequest, now: number) => AcceptAnswer;
  /** Answers what is known already, to a newer layout: from then on this partition takes nothing new from older ones. */
  readonly known: (request: AcceptRequest, now: number) => KnownReply;
}

export function createAcceptRequests(parts: {
  readonly archive: Archive;
  readonly acceptance: Acceptance;
  readonly succession: Succession;
  readonly backlogLimit: BacklogLimit;
  readonly targets: TargetStates;
  readonly lanes: Lanes;
  readonly lanesElsewhere: LanesElsewhere;
}): AcceptRequests {
  const { archive, acceptance, succession, backlogLimit, targets, lanes, lanesElsewhere } = parts;

  const isKnown = (item: AcceptItem, now: number) => archive.findIdentity(item.identity, now) !== undefined;

  /** What is new is looked for only when it matters: with room for all of it there is room for any of it. */
  function hasRoom(items: readonly AcceptItem[], now: number): boolean {
    if (!backlogLimit.isFullFor(items)) return true;
    return !backlogLimit.isFullFor(items.filter((item) => acceptance.wouldOpen(item, now)));
  }

  const contextOf = (request: AcceptRequest, index: number, now: number, leasesMax: number): AcceptContext => ({
    partition: request.partition,
    token: `${request.token}#${index}`,
    now,
    leasesMax,
  });

  return {
    accept(request, now) {
      const layout = succession.movedTo(request.layout);
      if (layout !== undefined && !request.items.every((item) => isKnown(item, now))) return { kind: "moved", layout };
      if (!hasRoom(request.items, now)) return { kind: "backlog-full", retryAfterSeconds: BACKLOG_RETRY_AFTER_SECONDS };
      targets.set(request.statuses ?? [], now);
      lanesElsewhere.wait(request.openElsewhere ?? []);
      for (const { lastSeq } of request.openElsewhere ?? []) acceptance.numberPast(lastSeq);
      const leases: Lease[] = [];
      const items = request.items.map((item, index) => {
        const left = request.leasesMax - leases.length;
        const accepted = acceptance.accept(item, contextOf(request, index, now, left));
        leases.push(...accepted.leases);
        return accepted.answer;
      });
      return { kind: "accepted", items, leases };
    },

    known(request, now) {
      succession.giveWayTo(request.layout);
      const planned = request.items.flatMap(({ deliveries }) => deliveries);
      const isFull = !hasRoom(
        request.items.filter((item) => isKnown(item, now)),
        now,
      );
      const items = request.items.map((item, index) =>
        isFull ? null : acceptance.known(item, contextOf(request, index, now, 0)),
      );
      const laneIds = new Set(planned.flatMap(({ lane }) => lane?.id ?? []));
      const names = planned.map(({ target }) => target);
      return {
        items,
        openLanes: lanes.open([...laneIds]).map(({ id }) => id),
        lastSeq: acceptance.lastSeq(),
        statuses: targets.statusesOf(names, now),
        ...(isFull ? { retryAfterSeconds: BACKLOG_RETRY_AFTER_SECONDS } : {}),
      };
    },
  };
}
