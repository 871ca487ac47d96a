/** Makes of an entry of kind `hmac` the description of its vendor: only the build needs it, a deployed Worker has what it said. */
import { readMembers } from "../core/read-object.ts";
import { membersSchema } from "../core/reader-schema.ts";
import { err, ok } from "../core/result.ts";
import type { Mistake } from "../core/result.ts";
import { TOLERANCE_DEFAULT_MS } from "../core/signature-scheme.ts";
import type { SignatureAlgorithm, SignatureEncoding, SignatureScheme } from "../core/signature-scheme.ts";
import type { SourceEntry } from "../core/source.ts";
import {
  ALGORITHMS,
  HMAC_READERS,
  SECRET_ENCODINGS,
  SIGNATURE_READERS,
  checkTogether,
  contentValues,
  isIdUnsigned,
} from "./_hmac-entry.ts";
import type { MappedPlace, TimedPlace, TypeRule } from "./_hmac-places.ts";
import { checkAuthentication } from "./_webhook-entry.ts";
import type { WebhookConfig } from "./_webhook-entry.ts";
import type { WebhookDescription } from "./_webhook-source.ts";

export interface HmacConfig extends WebhookConfig {
  readonly description: Omit<WebhookDescription, "map">;
  readonly mapping: HmacMapping;
}

/** What of the request an event is made of. */
export interface HmacMapping {
  readonly id?: MappedPlace;
  readonly type?: TypeRule;
  readonly subject?: MappedPlace;
  readonly time?: TimedPlace<MappedPlace>;
}

type Read = ReturnType<typeof readMembers<typeof HMAC_READERS>>;

function descriptionOf(read: Read): HmacConfig["description"] {
  const { payload = "json", source = "urn:webhook", volatile, answer } = read;
  return {
    kind: "hmac",
    vendor: "anybody",
    signature: schemeOf(read),
    payloads: [payload],
    // The rule for the type has it all.
    type: "",
    source,
    rawHeaders: headersOf(read),
    ...(isIdUnsigned(read) ? { hasUnsignedId: true as const } : {}),
    ...(volatile === undefined ? {} : { volatile }),
    ...(answer === undefined ? {} : { answer: { status: answer } }),
  };
}

function mappingOf({ id, type, subject, time }: Read): HmacMapping {
  return {
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
    ...(subject === undefined ? {} : { subject }),
    ...(time === undefined ? {} : { time }),
  };
}

function schemeOf(read: Read): SignatureScheme {
  const { header = "", part, prefix, separator, timestamp } = read;
  const algorithm = ALGORITHMS[read.algorithm ?? "sha256"] ?? "hmac-sha256";
  const key = SECRET_ENCODINGS[read.secret_encoding ?? ""] ?? KEYS[algorithm] ?? "text";
  return {
    algorithm,
    encoding: read.encoding ?? ENCODINGS[algorithm] ?? "hex",
    signature: part === undefined ? { header } : { header, part },
    ...(prefix === undefined ? {} : { prefix }),
    ...(separator === undefined ? {} : { separator }),
    content: algorithm === "token" ? "" : (read.content ?? "{body}"),
    values: signedValues(read),
    ...(timestamp === undefined ? {} : { timestamp: { value: "timestamp", unit: timestamp.unit ?? "s" } }),
    key,
  };
}

/** How what has no HMAC is mostly written. */
const KEYS: Readonly<Partial<Record<SignatureAlgorithm, "hex" | "base64">>> = {
  ed25519: "hex",
  "ecdsa-p256": "base64",
};

const ENCODINGS: Readonly<Partial<Record<SignatureAlgorithm, SignatureEncoding>>> = {
  "ecdsa-p256": "base64",
  token: "text",
};

/** Only what is signed has to be there. */
function signedValues(read: Read): NonNullable<SignatureScheme["values"]> {
  const { content = "{body}", timestamp } = read;
  const values = Object.entries(contentValues(read)).filter(
    ([name]) => content.includes(`{${name}}`) || (name === "timestamp" && timestamp !== undefined),
  );
  return Object.fromEntries(values);
}

/** The headers that the event is made of, for targets in `raw` format. */
function headersOf({ id, type, subject }: Read): readonly string[] {
  const places = [id, typeof type === "object" ? type.place : undefined, subject];
  return places.flatMap((place) => (place !== undefined && "header" in place ? [place.header.toLowerCase()] : []));
}

export default function entry(): SourceEntry<HmacConfig> {
  return {
    summary: "Webhooks of anybody, signed as the entry says",
    schema: membersSchema(HMAC_READERS, {
      oneOf: [{ required: ["secrets", "header"] }, { required: ["auth"] }],
      dependencies: Object.fromEntries(Object.keys(SIGNATURE_READERS).map((name) => [name, ["secrets"]])),
    }),

    parse(entry) {
      const mistakes: Mistake[] = [];
      const read = readMembers(entry, [], HMAC_READERS, mistakes);
      checkAuthentication(entry, Object.keys(HMAC_READERS), mistakes);
      // A key that could not be read would be told twice.
      if (mistakes.length === 0) checkTogether(entry, read, mistakes);
      if (mistakes.length > 0) return err(mistakes);
      const { secrets = [], tolerance = TOLERANCE_DEFAULT_MS, replays = "flag", key, url } = read;
      return ok({
        auth: read.auth ?? "signature",
        secretNames: secrets,
        toleranceMs: tolerance,
        replays,
        ...(key === undefined ? {} : { key }),
        ...(url === undefined ? {} : { url }),
        description: descriptionOf(read),
        mapping: mappingOf(read),
      });
    },
  };
}
