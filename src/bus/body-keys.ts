/**
 * Keys of large bodies: `bodies/<hour>/<bus>/<partitions>/<token>`. The hour comes first, so that the sweep finds those of one
 * time by their prefix; bus and number of partitions say which partitions may know of the body. A partition's own name can't
 * stand there: the upload begins before the event's key is read.
 */
const BODIES_PREFIX = "bodies/";

export interface BodyKeyParts {
  readonly bus: string;
  /** How many partitions the bus had when the body came. */
  readonly partitions: number;
}

/** `at`: when the body began to come, in milliseconds. `token`: new for each body. */
export function newBodyKey({
  bus,
  partitions,
  at,
  token,
}: BodyKeyParts & { readonly at: number; readonly token: string }): string {
  return `${hourPrefix(at)}${encodeURIComponent(bus)}/${partitions}/${token}`;
}

/** What the keys of an hour begin with: `bodies/2026-11-21T15/`. */
export function hourPrefix(at: number): string {
  return `${BODIES_PREFIX}${new Date(at).toISOString().slice(0, 13)}/`;
}

/** Null for a key that no large body has. */
export function parseBodyKey(key: string): BodyKeyParts | null {
  const found = /^bodies\/[^/]+\/([^/]+)\/(\d{1,6})\/[^/]+$/.exec(key);
  if (found === null) return null;
  try {
    return { bus: decodeURIComponent(found[1] ?? ""), partitions: Number(found[2]) };
  } catch {
    return null;
  }
}
