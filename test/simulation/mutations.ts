/**
 * Bugs for the simulation to catch, each a small change of the source. A simulation that passes all of them would prove
 * nothing. `mutate.ts` plants them one at a time in a copy; a text that no longer stands exactly once in its file is an error.
 */
export interface Mutation {
  readonly name: string;
  /** What breaks, in a sentence. */
  readonly breaks: string;
  /** Under `src`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "answer without writing",
    breaks: "An event is acknowledged and its row of work is never written.",
    file: "objects/ledger.ts",
    find: "    work.insert(seq, item.event, deliveries);\n    return leases;",
    replace: "    return leases;",
  },
  {
    name: "ack before write",
    breaks: "The row of work is written after the accept's commit, so a crash in between loses an acknowledged event.",
    file: "objects/ledger.ts",
    find: "    work.insert(seq, item.event, deliveries);\n    return leases;",
    replace: "    queueMicrotask(() => work.insert(seq, item.event, deliveries));\n    return leases;",
  },
  {
    name: "identity not written",
    breaks: "Nothing remembers that an event was accepted, so a repeat is accepted again.",
    file: "objects/ledger.ts",
    find: "    archive.addIdentity(item.identity, { seq, fingerprint: item.fingerprint, token }, now);\n",
    replace: "",
  },
  {
    name: "dedup after enqueue",
    breaks: "A repeat is written down before its identity is looked up.",
    file: "objects/ledger.ts",
    find: "    if (first === undefined) {\n      const leases = acceptNew(item, token, now, leasesMax);",
    replace: "    const leases = acceptNew(item, token, now, leasesMax);\n    if (first === undefined) {",
  },
  {
    name: "repeat with other content swallowed",
    breaks: "A repeat whose content differs is answered as a duplicate.",
    file: "objects/ledger.ts",
    find: 'isConflict(first.fingerprint, item.fingerprint) ? "conflict" : "duplicate"',
    replace: '"duplicate" as const',
  },
  {
    name: "accept token ignored",
    breaks: "An accept whose reply was lost is a duplicate of itself when it is tried again.",
    file: "objects/ledger.ts",
    find: "if (first.token === token) {",
    replace: "if (first.token === token && false) {",
  },
  {
    name: "new accept token at each try",
    breaks: "The partition cannot tell an accept tried again from a sender's repeat.",
    file: "bus/publish.ts",
    find: "(port) => port.accept(request)",
    replace: "(port) => port.accept({ ...request, token: ports.newToken() })",
  },
  {
    name: "accept without rollback",
    breaks: "A write that fails leaves the identity of an event that was not stored.",
    file: "objects/ledger.ts",
    find: "      sql.transaction(() => {\n        const isNew",
    replace: "      (<Value>(work: () => Value) => work())(() => {\n        const isNew",
  },
  {
    name: "settle without rollback",
    breaks: "An event's row of work is deleted before it is archived, and stays deleted when archiving fails.",
    file: "objects/ledger.ts",
    find: "      sql.transaction(() => {\n        for (const [seq, mine]",
    replace: "      (<Value>(work: () => Value) => work())(() => {\n        for (const [seq, mine]",
  },
  {
    name: "memory kept after a failure",
    breaks: "What a call counted before its writes were taken back is still counted.",
    file: "objects/engine.ts",
    find: "      ledger = openLedger(sql, limits);\n      throw error;",
    replace: "      throw error;",
  },
  {
    name: "ended event not archived",
    breaks: "An event whose last delivery has ended leaves the work and goes nowhere.",
    file: "objects/ledger.ts",
    find: "    if (work.update(event, deliveries)) archive.add({ ...event, deliveries }, now);",
    replace: "    work.update(event, deliveries);",
  },
  {
    name: "settle not writing",
    breaks: "What dispatchers report is not written down.",
    file: "objects/ledger.ts",
    find: "          if (open !== undefined) putBack(open, deliveries, now);\n          else archive.update",
    replace: "          if (open === undefined) archive.update",
  },
  {
    name: "lease without fencing",
    breaks: "Whoever reports on a delivery moves it, although somebody else has its lease by now.",
    file: "core/delivery.ts",
    find: 'delivery.state.kind === "leased" && delivery.state.token === settlement.token',
    replace: 'delivery.state.kind === "leased"',
  },
  {
    name: "ended delivery moved",
    breaks: "A late report moves a delivery that has ended.",
    file: "core/delivery.ts",
    find: 'delivery.state.kind === "leased" && delivery.state.token === settlement.token',
    replace:
      '(delivery.state.kind === "leased" && delivery.state.token === settlement.token) || delivery.state.kind === "delivered"',
  },
  {
    name: "accept's lease not written",
    breaks: "A delivery is lent to the ingest Worker and is still free for the alarm.",
    file: "objects/ledger.ts",
    find: "      return leaseDelivery(delivery, leaseToken, now);",
    replace: "      return delivery;",
  },
  {
    name: "alarm's lease not written back",
    breaks: "A delivery is lent to a dispatcher and the row does not say so.",
    file: "objects/open-work.ts",
    find: "    if (update(work, deliveries)) request.ended({ ...work, deliveries });",
    replace: "    if (lent.length === 0 && update(work, deliveries)) request.ended({ ...work, deliveries });",
  },
  {
    name: "lease used after its time",
    breaks: "A dispatcher sends although the lease runs out before the answer can be there.",
    file: "bus/dispatch.ts",
    find: "if (sentAt + timeoutMs + SETTLE_MARGIN_MS > endsAt) {",
    replace: "if (sentAt + timeoutMs + SETTLE_MARGIN_MS > endsAt && false) {",
  },
  {
    name: "expired lease never taken up",
    breaks: "A delivery whose dispatcher died is nobody's any more.",
    file: "core/delivery.ts",
    find: 'if (current.state.kind === "leased" && current.state.deadlineAt <= now) {',
    replace: 'if (current.state.kind === "leased" && current.state.deadlineAt < 0) {',
  },
  {
    name: "lease without an alarm at its end",
    breaks: "Nobody wakes when a lease runs out.",
    file: "core/delivery.ts",
    find: "      return delivery.state.deadlineAt;",
    replace: "      return Number.MAX_SAFE_INTEGER;",
  },
  {
    name: "alarm not re-armed after a change",
    breaks: "A change leaves work without an alarm.",
    file: "objects/engine.ts",
    find: "      const value = work();\n      arm(ledger.nextWakeAt(now()));",
    replace: "      const value = work();",
  },
  {
    name: "alarm not re-armed at start",
    breaks: "A process that died after its alarm had fired comes back with work and no alarm.",
    file: "objects/engine.ts",
    find: "      alarmAt = onRecord(current);\n      arm(ledger.nextWakeAt(now()));",
    replace: "      alarmAt = onRecord(current);",
  },
  {
    name: "fired alarm counted as set",
    breaks: "The engine believes in an alarm that is used up and sets no other.",
    file: "objects/engine.ts",
    find: "    async alarm() {\n      alarmAt = null;",
    replace: "    async alarm() {",
  },
  {
    name: "alarm never moved forward",
    breaks: "Work that is due earlier than the alarm waits for it.",
    file: "objects/engine.ts",
    find: "(alarmAt !== null && alarmAt <= at)",
    replace: "alarmAt !== null",
  },
  {
    name: "hand-over dropped",
    breaks: "The alarm takes leases and starts nobody to work on them.",
    file: "objects/engine.ts",
    find: '        await handOver({ partition, work, holder: "alarm" });',
    replace: "        void handOver;",
  },
  {
    name: "failure counted as delivered",
    breaks: "A target that answers 500 counts as delivered.",
    file: "targets/_answer.ts",
    find: 'if (isStatus(200, 299)) return { kind: "delivered", answer: kept };',
    replace: 'if (isStatus(200, 299) || status === 500) return { kind: "delivered", answer: kept };',
  },
  {
    name: "retryable counted as permanent",
    breaks: "A target that is only unavailable gets no second attempt.",
    file: "targets/_answer.ts",
    find: "status !== 408 && status !== 425 && status !== 429) {",
    replace: "status !== 408 && status !== 425) {",
  },
  {
    name: "given up before the schedule is over",
    breaks: "A delivery is dead before all of its retries were made.",
    file: "core/step.ts",
    find: "failures: lease.failures + 1,",
    replace: "failures: lease.failures + 4,",
  },
  {
    name: "retry without end",
    breaks: "Failures are not counted, so a target that stays broken is tried until the delivery is too old.",
    file: "core/delivery.ts",
    find: "        failures: delivery.failures + 1,",
    replace: "        failures: delivery.failures,",
  },
  {
    name: "new id at each attempt",
    breaks: "A receiver cannot tell a repeat by its webhook-id.",
    file: "bus/dispatch.ts",
    find: "const base = { deliveryId: lease.deliveryId,",
    replace: "const base = { deliveryId: `${lease.deliveryId}-${lease.attempt}`,",
  },
  {
    name: "release counted as an end",
    breaks: "A delivery that a dispatcher had no time for is cancelled.",
    file: "core/delivery.ts",
    find: 'return { ...recorded, lostLeases: 0, state: { kind: "waiting", dueAt: now + step.delayMs } };',
    replace: 'return { ...recorded, lostLeases: 0, state: { kind: "cancelled", at: now, reason: "rule-off" } };',
  },
  {
    name: "older rules cancel newer deliveries",
    breaks: "A dispatcher that still has the rules of before cancels what newer rules have planned.",
    file: "bus/dispatch.ts",
    find: "ports.rulesVersion.deployedAt < planned.deployedAt) {",
    replace: "ports.rulesVersion.deployedAt < 0) {",
  },
  {
    name: "re-drive loses the event",
    breaks: "A re-drive takes an event out of the archive and does not open it.",
    file: "objects/ledger.ts",
    find: "        else if (archive.takeDead(seq) !== undefined) work.insert(seq, known.event, deliveries);",
    replace: "        else archive.takeDead(seq);",
  },
  {
    name: "sequence number without its time",
    breaks: "Sequence numbers start from nothing, so every identity counts as older than the dedup window.",
    file: "core/receipt.ts",
    find: "  return Math.max(last + 1, now * SEQ_PER_MS);",
    replace: "  return last + 1;",
  },
];
