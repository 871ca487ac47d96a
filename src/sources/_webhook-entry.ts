/** Reads the entry of a webhook's source in sources.yaml: the keys that all vendors share. */
import type { Reader } from "../core/read-object.ts";
import { isMisspelt, readBindingName, readDurationMs, readMembers, readOneOf } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import type { JsonPath } from "../core/json-path.ts";
import { JSON_PATH_SCHEMA, parseJsonPath } from "../core/json-path.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import { err, ok } from "../core/result.ts";
import { TOLERANCE_DEFAULT_MS } from "../core/signature-scheme.ts";
import { readAuthNone, readSecretNames } from "./_auth-entry.ts";
import type { SourceEntry } from "../core/source.ts";
import type { WebhookDescription } from "./_webhook-source.ts";

export const TOLERANCE_MIN_MS = 1_000;
/**
 * Longer than that a captured request is as good as a new one; a vendor that sends again after hours signs again. Where one
 * doesn't, its scheme has a longer default, which is the most then.
 */
export const TOLERANCE_MAX_MS = 3_600_000;
export const SIGNED_URL_CHARACTERS_MAX = 2_048;

/** What the same signed payload under a new id means; `ignore` doesn't look. */
const REPLAYS = ["flag", "refuse", "ignore"] as const;

export interface WebhookConfig {
  readonly auth: "none" | "signature";
  readonly secretNames: readonly string[];
  readonly toleranceMs: number;
  readonly replays: (typeof REPLAYS)[number];
  /** Where the payload has what its partition is chosen by. */
  readonly key?: JsonPath;
  /** The address that the vendor has, where it signs it and another one arrives here. */
  readonly url?: string;
  /** The name of the secret that the vendor's own key names, such as Meta's verify-token. */
  readonly otherSecret?: string;
}

const readSignedUrl: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && value.length <= SIGNED_URL_CHARACTERS_MAX && URL.canParse(value)) return value;
    mistakes.push({
      path,
      message: "expected the absolute URL as it stands at the vendor, such as https://hooks.example.com/webhooks/shop",
    });
    return undefined;
  },
  { type: "string", maxLength: SIGNED_URL_CHARACTERS_MAX },
);

const readKeyPath: Reader<JsonPath> = withSchema((value, path, mistakes) => {
  const parsed = typeof value === "string" ? parseJsonPath(value) : undefined;
  if (parsed?.ok === true) return parsed.value;
  mistakes.push({ path, message: parsed?.error.message ?? "expected a path into the payload, such as $.account.id" });
  return undefined;
}, JSON_PATH_SCHEMA);

/** The keys of every webhook's source. */
export const SHARED_READERS = {
  secrets: readSecretNames,
  auth: readAuthNone,
  key: described(
    readKeyPath,
    "Where the payload has what events are kept together and ordered by, such as $.account.id.",
  ),
};
export function readTolerance(toleranceMs: number) {
  return described(
    readDurationMs(TOLERANCE_MIN_MS, Math.max(TOLERANCE_MAX_MS, toleranceMs)),
    "How old a signed request may be, and how far ahead of this clock.",
    { default: `${toleranceMs / 60_000}m` },
  );
}
export function readReplays(assumed: (typeof REPLAYS)[number]) {
  return described(
    readOneOf(REPLAYS),
    "What was signed comes again under a new id: flag accepts and marks it, refuse answers 409, ignore doesn't look.",
    { default: assumed },
  );
}

function replaysDefault(hasUnsignedId: WebhookDescription["hasUnsignedId"]): (typeof REPLAYS)[number] {
  return typeof hasUnsignedId === "object" && hasUnsignedId.isUnique === true ? "refuse" : "flag";
}
export const readUrl = described(
  readSignedUrl,
  "The address as the vendor has it, which it signs; only needed behind a proxy.",
);

/** The keys that make sense for the vendor. */
function readersOf({ signature, otherSignature, hasUnsignedId, otherSecret }: WebhookDescription) {
  const timestamp = signature.timestamp ?? otherSignature?.scheme.timestamp;
  // `{url}`, or what `signedParts` makes of it: `{urlDecoded}`.
  const isUrlSigned = signature.content.includes("{url");
  return {
    ...SHARED_READERS,
    ...(timestamp === undefined ? {} : { tolerance: readTolerance(timestamp.toleranceMs ?? TOLERANCE_DEFAULT_MS) }),
    ...(hasUnsignedId === undefined ? {} : { replays: readReplays(replaysDefault(hasUnsignedId)) }),
    ...(isUrlSigned ? { url: readUrl } : {}),
    ...(otherSecret === undefined ? {} : { [otherSecret.key]: described(readBindingName, otherSecret.description) }),
  };
}

export default function entryOf(description: WebhookDescription): SourceEntry<WebhookConfig> {
  const { vendor, signature } = description;
  return {
    summary: `Webhooks of ${vendor}, ${signature.algorithm === "token" ? "with a secret token" : "signed"}`,
    schema: schemaOf(description),
    parse: (entry) => readEntry(entry, description),
  };
}

function schemaOf(description: WebhookDescription): JsonObject {
  return membersSchema(readersOf(description), { oneOf: [{ required: ["secrets"] }, { required: ["auth"] }] });
}

function readEntry(entry: JsonObject, description: WebhookDescription): Result<WebhookConfig, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const readers = readersOf(description);
  const read = readMembers(entry, [], readers, mistakes) as {
    readonly secrets?: readonly string[];
    readonly auth?: "none";
    readonly key?: JsonPath;
    readonly tolerance?: number;
    readonly replays?: (typeof REPLAYS)[number];
    readonly url?: string;
    readonly [other: string]: unknown;
  };
  checkAuthentication(entry, Object.keys(readers), mistakes);
  if (mistakes.length > 0) return err(mistakes.map((mistake) => withReason(mistake, description)));
  const toleranceDefaultMs = description.signature.timestamp?.toleranceMs ?? TOLERANCE_DEFAULT_MS;
  const { key, url, secrets = [], tolerance = toleranceDefaultMs } = read;
  const { replays = replaysDefault(description.hasUnsignedId) } = read;
  const otherSecret = description.otherSecret === undefined ? undefined : read[description.otherSecret.key];
  return ok({
    auth: read.auth ?? "signature",
    secretNames: secrets,
    toleranceMs: tolerance,
    replays,
    ...(key === undefined ? {} : { key }),
    ...(url === undefined ? {} : { url }),
    ...(typeof otherSecret === "string" ? { otherSecret } : {}),
  });
}

/** A key that is right for other vendors is no slip of the pen: what counts is why it says nothing here. */
function withReason(mistake: Mistake, { vendor, signature }: WebhookDescription): Mistake {
  const reasons: Readonly<Record<string, string>> = {
    tolerance: `${vendor} signs no time; leave it out`,
    replays:
      signature.algorithm === "token"
        ? `${vendor} signs nothing that a copy could be told by; leave it out`
        : "the id is signed, or made of what is signed, so no copy can have another; leave it out",
    url: `${vendor} doesn't sign the address; leave it out`,
  };
  const [key = ""] = mistake.path;
  if (mistake.at !== "key" || mistake.path.length !== 1 || !Object.hasOwn(reasons, key)) return mistake;
  return { ...mistake, message: reasons[key] ?? mistake.message };
}

/** Either `secrets` or `auth: none`. `known`: the names of all keys that the entry may have. */
export function checkAuthentication(entry: JsonObject, known: readonly string[], mistakes: Mistake[]): void {
  const [hasSecrets, hasAuth] = [Object.hasOwn(entry, "secrets"), Object.hasOwn(entry, "auth")];
  const isSlip = ["secrets", "auth"].some((name) => isMisspelt(name, entry, known));
  if (!hasSecrets && !hasAuth && !isSlip) {
    mistakes.push({ path: [], message: "expected secrets: [NAME, …] or auth: none, found neither" });
  }
  if (hasSecrets && hasAuth) {
    mistakes.push({ path: ["auth"], at: "key", message: "expected secrets or auth: none, found both" });
  }
}
