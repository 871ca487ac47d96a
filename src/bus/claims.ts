/**
 * Claim checks: a body too large for a queue's message stands in the body store, and the message refers to it by a URL of this
 * router (`GET /data/<token>`, http/data.ts) that anyone who has it may fetch, until it ends.
 */
import { DATA_SECRET, dataSecretProblem, writeDataToken } from "../core/data-token.ts";
import type { Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import type { Hashing } from "../core/source.ts";
import type { Claim, ClaimProblem } from "../core/target.ts";
import type { BodyStore } from "./body-store.ts";

/** https://developers.cloudflare.com/queues/platform/limits/: the longest time for which a queue can keep a message. */
export const CLAIM_MS = 14 * 86_400_000;

/** Times of a token are rounded up to it, so that the attempts of an hour send the same message. */
const CLAIM_STEP_MS = 3_600_000;

export const CLAIMS_PREFIX = "claims/";

const HASH_CHARS = 16;

export interface ClaimPorts {
  /** Undefined where the binding BODIES is missing. */
  readonly bodies: BodyStore | undefined;
  /** Where this router is reached from outside: the variable PUBLIC_URL. */
  readonly publicUrl: string | undefined;
  readonly secret: (name: string) => string | undefined;
  readonly hashing: Hashing;
  readonly now: () => number;
  /** `npm start`: the address may be a plain http one of this machine. */
  readonly isLocal: boolean;
}

/** The URL of a body for a message's consumer; stores the body first where it doesn't stand in the store yet. */
export async function claimBody(claim: Claim, ports: ClaimPorts): Promise<Result<string, ClaimProblem>> {
  const { bodies, secret, hashing } = ports;
  const base = readPublicUrl(ports);
  const signingSecret = secret(DATA_SECRET);
  const problems = [
    ...(bodies === undefined ? [NO_STORE] : []),
    ...(base.ok ? [] : [base.error]),
    ...[dataSecretProblem(signingSecret) ?? []].flat(),
  ];
  if (bodies === undefined || !base.ok || signingSecret === undefined || problems.length > 0) {
    return err({ reason: "configuration", detail: problems.join("; ") });
  }
  const expiresAt = Math.ceil(ports.now() / CLAIM_STEP_MS) * CLAIM_STEP_MS + CLAIM_MS;
  const key = "large" in claim ? claim.large.key : claimKey(claim, ports);
  if (!("large" in claim)) {
    try {
      await bodies.put(key, claim.body, claim.contentType);
    } catch (error) {
      return err({ reason: "unavailable", detail: `the body could not be stored: ${String(error)}` });
    }
  }
  return ok(new URL(`data/${writeDataToken({ key, expiresAt }, signingSecret, hashing)}`, base.value).href);
}

/** Other bytes under the same delivery, as after a change of its transform, get another key: an earlier message keeps its own. */
function claimKey(claim: Exclude<Claim, { readonly large: unknown }>, { hashing, now }: ClaimPorts): string {
  const day = new Date(now()).toISOString().slice(0, 10);
  const bytes = [...hashing.sha256(claim.body)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${CLAIMS_PREFIX}${day}/${claim.deliveryId}/${bytes.join("").slice(0, HASH_CHARS)}`;
}

const NO_STORE = "there is no body store: add an [[r2_buckets]] with the binding BODIES to wrangler.toml";

function readPublicUrl({ publicUrl, isLocal }: ClaimPorts): Result<string, string> {
  const wayOut =
    'set it under [vars] in wrangler.toml to the router\'s address, as in PUBLIC_URL = "https://sluice.example.com"';
  if (publicUrl === undefined) return err(`the variable PUBLIC_URL is not set: ${wayOut}`);
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (url?.protocol === "https:" || (isLocal && url?.protocol === "http:")) {
    return ok(`${url.origin}${withSlash(url.pathname)}`);
  }
  return err(`the variable PUBLIC_URL is no https address: ${wayOut}`);
}

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}
