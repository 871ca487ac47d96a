/**
 * Which layout of the bus is in force, as far as this partition was told: one that was deployed later takes over, and from
 * then on this partition takes nothing new from callers of an older one. So no identity is accepted in two layouts.
 */
import type { Layout } from "../bus/ports.ts";
import { deleteMeta, readMeta, writeMeta } from "./schema.ts";
import type { Sql } from "./sql.ts";

export interface Succession {
  /** The newer layout that has taken over, if the caller is of an older one. A caller that is as new takes back. */
  readonly movedTo: (caller: Layout) => Layout | undefined;
  readonly giveWayTo: (caller: Layout) => void;
}

export function openSuccession(sql: Sql): Succession {
  const text = readMeta(sql, "successor");
  let successor = text === undefined ? undefined : (JSON.parse(text) as Layout);
  return {
    movedTo(caller) {
      if (successor === undefined || caller.deployedAt < successor.deployedAt) return successor;
      successor = undefined;
      deleteMeta(sql, "successor");
      return undefined;
    },
    giveWayTo(caller) {
      if (successor !== undefined && successor.deployedAt >= caller.deployedAt) return;
      successor = caller;
      writeMeta(sql, "successor", JSON.stringify(caller));
    },
  };
}
