/**
 * Which layout of the bus is in force, as far as this partition was told: one that was deployed later takes over, and from
 * then on this partition takes nothing new from callers of an older one. So no identity is accepted in two layouts.
 */
import type { Layout } from "../bus/ports.ts";
import { readMeta, writeMeta } from "./schema.ts";
import type { Sql } from "./sql.ts";

export interface Succession {
  /** The newer layout that has taken over, if the caller is of an older one. A caller that is as new takes back. */
  readonly movedTo: (caller: Layout) => Layout | undefined;
  readonly giveWayTo: (caller: Layout) => void;
}

export function openSuccession(sql: Sql): Succession {
  const text = readMeta(sql, "successor");
  let successor = text === undefined ? undefined : (JSON.parse(text) as Layout);
  function remember(layout: Layout): void {
    successor = layout;
    writeMeta(sql, "successor", JSON.stringify(layout));
  }
  return {
    movedTo(caller) {
      if (successor === undefined || caller.deployedAt < successor.deployedAt) return successor;
      // Whoever takes back is of this partition's own layout. Callers from before the move may still be there, and don't know
      // what the layout between has accepted.
      if (successor.partitions !== caller.partitions) remember(caller);
      return undefined;
    },
    giveWayTo(caller) {
      if (successor !== undefined && successor.deployedAt >= caller.deployedAt) return;
      remember(caller);
    },
  };
}
