/**
 * Writes the times of vendors that send numbers as timestamps of RFC 3339, the form of CloudEvents times (1.0.2, section 3.2).
 */

/** Milliseconds since the epoch as a timestamp in UTC; null beyond the years that RFC 3339 can write. */
export function formatTimestamp(timeMs: number): string | null {
  if (!(timeMs >= 0 && timeMs < 253_402_300_800_000)) return null;
  return new Date(timeMs).toISOString();
}
