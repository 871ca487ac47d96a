/** Reads `handshake` of targets.yaml: in whose name to ask an endpoint for permission (_handshake.ts asks). */
import { describe, isMisspelt, readMembers } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import { isJsonObject } from "../core/result.ts";
import { ORIGIN, ORIGIN_CHARS_MAX, RATE_PER_MINUTE_MAX, isOrigin } from "../core/webhook-permission.ts";
import type { Handshake } from "./_http-request.ts";

const readOrigin: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && isOrigin(value)) return value;
    const message = `expected the name of a host that stands for this router, such as events.example.com, found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  },
  {
    type: "string",
    minLength: 1,
    maxLength: ORIGIN_CHARS_MAX,
    pattern: ORIGIN.source,
    examples: ["events.example.com"],
  },
);

const RATE_FORM = /^([1-9]\d{0,4})\/m$/;

const readRate: Reader<number> = withSchema(
  (value, path, mistakes) => {
    const rate = Number((typeof value === "string" ? RATE_FORM.exec(value)?.[1] : undefined) ?? Number.NaN);
    if (rate <= RATE_PER_MINUTE_MAX) return rate;
    const message = `expected requests per minute, from 1/m to ${RATE_PER_MINUTE_MAX}/m, found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  },
  { type: "string", pattern: RATE_FORM.source, examples: ["120/m"] },
);

const READERS = {
  origin: described(readOrigin, "The name that stands for this router: a host's, such as events.example.com."),
  rate: described(readRate, "The rate to ask for, in requests per minute, such as 120/m."),
};

/** Reads `handshake: events.example.com` and `handshake: { origin: events.example.com, rate: 120/m }`. */
export const readHandshake: Reader<Handshake> = withSchema(
  (value, path, mistakes) => {
    if (!isJsonObject(value)) {
      const origin = readOrigin(value, path, mistakes);
      return origin === undefined ? undefined : { origin };
    }
    const { origin, rate } = readMembers(value, path, READERS, mistakes);
    if (!Object.hasOwn(value, "origin") && !isMisspelt("origin", value, Object.keys(READERS))) {
      mistakes.push({ path, message: "expected { origin: events.example.com }, found no origin" });
    }
    if (origin === undefined) return undefined;
    return rate === undefined ? { origin } : { origin, ratePerMinute: rate };
  },
  { anyOf: [readOrigin.schema ?? {}, membersSchema(READERS, { required: ["origin"] })] },
);
