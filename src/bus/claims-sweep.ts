/** Removes claimed bodies that no message can refer to any more. */
import type { BodyStore } from "./body-store.ts";
import { CLAIMS_PREFIX } from "./claims.ts";

/** A day more than a token lives (`CLAIM_MS`), for clocks that differ and for the rounding of its end. */
export const CLAIM_KEPT_MS = 15 * 86_400_000;

/** Keys of one page; R2 lists and deletes 1,000 in a call. */
export const CLAIMS_PAGE_KEYS = 1_000;

/** Pages of one sweep, with 96 sweeps a day: what is left waits for the next one. */
export const CLAIMS_PAGES_MAX = 10;

export interface ClaimsSweepPorts {
  readonly bodies: Pick<BodyStore, "list" | "remove"> | undefined;
  readonly now: () => number;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Never throws. Needs no memory of the last sweep: keys begin with their day, and R2 lists them in order. */
export async function sweepClaims({ bodies, now, log }: ClaimsSweepPorts): Promise<void> {
  if (bodies === undefined) return;
  const before = now() - CLAIM_KEPT_MS;
  let removed = 0;
  try {
    for (let page = 0; page < CLAIMS_PAGES_MAX; page++) {
      // From the start again: what was removed is not listed any more.
      const { found, cursor } = await bodies.list(CLAIMS_PREFIX, undefined, CLAIMS_PAGE_KEYS);
      const old = found.filter(({ uploadedAt }) => uploadedAt < before).map(({ key }) => key);
      if (old.length === 0) break;
      await bodies.remove(old);
      removed += old.length;
      if (old.length < found.length || cursor === undefined) break;
    }
  } catch (error) {
    log("claims.sweep-failed", { error: String(error) });
  }
  if (removed > 0) log("claims.swept", { removed });
}
