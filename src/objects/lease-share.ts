/** What one taker of leases may still have: so many in all, so many of each target, and so many bytes of those that are not counted. */

/** An answer carries its leases' events, and the taker holds them all: after so many bytes no further uncounted lease is lent. */
export const UNCOUNTED_BYTES_MAX = 4_194_304;

export interface LeaseShareRequest {
  readonly leasesMax: number;
  readonly room: (target: string) => number;
  readonly isUncounted: (target: string) => boolean;
}

export interface LeaseShare {
  /** How many more of the target, which has room for so many. */
  readonly left: (target: string, targetRoom: number) => number;
  readonly take: (target: string, eventBytes: number) => void;
}

export function createLeaseShare({ leasesMax, room, isUncounted }: LeaseShareRequest): LeaseShare {
  const ofTarget = new Map<string, number>();
  let counted = 0;
  let uncountedBytes = 0;
  return {
    left(target, targetRoom) {
      const isOver = isUncounted(target) ? uncountedBytes >= UNCOUNTED_BYTES_MAX : counted >= leasesMax;
      return isOver ? 0 : Math.min(room(target), targetRoom) - (ofTarget.get(target) ?? 0);
    },
    take(target, eventBytes) {
      ofTarget.set(target, (ofTarget.get(target) ?? 0) + 1);
      if (isUncounted(target)) uncountedBytes += eventBytes;
      else counted += 1;
    },
  };
}
