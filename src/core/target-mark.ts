/** What may be told of a target to see whether it has changed: never where it sends to. */
import type { Sha256 } from "./event.ts";
import { toHex } from "./event.ts";
import type { Running, TargetDefinition } from "./rule.ts";

const HASH_HEX_CHARS = 12;

export interface TargetMark {
  readonly name: string;
  readonly kind: string;
  /** A short hash of all its settings; absent from a router of an earlier release. */
  readonly hash?: string;
}

export function targetMark(definition: Running<TargetDefinition>, sha256: Sha256): Required<TargetMark> {
  const { name, kind } = definition;
  return { name, kind, hash: toHex(sha256(JSON.stringify(definition))).slice(0, HASH_HEX_CHARS) };
}
