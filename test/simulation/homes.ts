/** The isolates that invocations live in, some of which share what is kept for a whole isolate; all die together. */
import type { PartitionGroups } from "../../src/bus/partition-groups.ts";
import { createPartitionGroups } from "../../src/bus/partition-groups.ts";
import type { Deployment } from "./deployments.ts";
import type { Setting } from "./setting.ts";

/** Isolates of one deployment. */
const HOMES_MAX = 2;
/** How likely an invocation that dies takes its isolate with it. */
const WHOLE = 0.3;

export interface Home {
  readonly groups: PartitionGroups;
  /** Ends the invocations that live here. */
  readonly ends: Set<() => void>;
}

export interface Homes {
  readonly pick: (deployment: Deployment) => Home;
  /** Something here has died, and everything else perhaps. */
  readonly died: (home: Home) => void;
}

export function openHomes({ chance, say }: Setting): Homes {
  const homes = new Map<Deployment, Home[]>();
  const build = (): Home => ({ groups: createPartitionGroups(), ends: new Set() });

  return {
    pick(deployment) {
      const all = homes.get(deployment) ?? Array.from({ length: chance.between(1, HOMES_MAX) }, build);
      homes.set(deployment, all);
      return chance.pick(all);
    },
    died(home) {
      if (!chance.happens(WHOLE)) return;
      say(() => `its isolate dies, with ${home.ends.size} more`);
      for (const end of home.ends) end();
      for (const all of homes.values()) {
        const index = all.indexOf(home);
        if (index !== -1) all[index] = build();
      }
    },
  };
}
