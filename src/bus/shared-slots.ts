/** Targets whose requests leave in one call, and how much room that leaves for leases. */
import type { CompiledTarget, RuleSet } from "../core/rule-set.ts";
import type { Slots } from "./slots.ts";

/** The slot that requests to this target share, if they do. A target with limits is asked for a permit before each. */
export function slotNameOf({ target, config, definition }: CompiledTarget): string | undefined {
  return definition.limits === undefined ? target.sharesSlot?.(config) : undefined;
}

/** The targets that share a slot, by its name: looked for once in a rule set, of which few have any. */
const sharersByRules = new WeakMap<RuleSet, ReadonlyMap<string, readonly string[]>>();

function sharersOf(ruleSet: RuleSet): ReadonlyMap<string, readonly string[]> {
  let sharers = sharersByRules.get(ruleSet);
  if (sharers === undefined) {
    const sharing = ruleSet.targets.flatMap((target) => {
      const slot = slotNameOf(target);
      return slot === undefined ? [] : [{ slot, name: target.definition.name }];
    });
    const bySlot = Map.groupBy(sharing, ({ slot }) => slot);
    sharers = new Map([...bySlot].map(([slot, members]) => [slot, members.map(({ name }) => name)]));
    sharersByRules.set(ruleSet, sharers);
  }
  return sharers;
}

/** How many more leases of targets that share their slots a dispatcher can use, by target: `leasesMax` of all of them. */
export function roomToShare(slots: Slots, leasesMax: number, ruleSet: RuleSet): Readonly<Record<string, number>> {
  const bySlot = sharersOf(ruleSet);
  const rooms: Record<string, number> = {};
  if (bySlot.size === 0) return rooms;
  let leasesLeft = leasesMax;
  for (const [slot, slotRoom] of slots.roomToShare([...bySlot.keys()])) {
    const sharers = bySlot.get(slot) ?? [];
    for (const name of sharers) {
      const room = Math.min(Math.ceil(slotRoom / sharers.length), leasesLeft);
      if (room > 0) rooms[name] = room;
      leasesLeft -= room;
    }
  }
  return rooms;
}
