/** The keys of targets.yaml that kinds of targets have in common which speak HTTP with an endpoint of the user's own. */
import { readBindingName, readList, readOneOf } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, withSchema } from "../core/reader-schema.ts";
import { readHeaders } from "./_headers-entry.ts";
import { FORMATS } from "./_http-content.ts";
import { TARGET_URL_SCHEMA, readTargetUrl } from "./_url-entry.ts";
import type { TargetUrl } from "./_url.ts";

export const SIGNING_SECRETS_MAX = 3;

const readLocal: Reader<TargetUrl | "print"> = withSchema(
  (value, path, mistakes) => (value === "print" ? "print" : readTargetUrl(value, path, mistakes)),
  { anyOf: [{ enum: ["print"] }, TARGET_URL_SCHEMA] },
);

const readSigningList = readList(readBindingName, SIGNING_SECRETS_MAX);

const readSigningSecrets: Reader<readonly string[]> = withSchema(
  (value, path, mistakes) => {
    if (Array.isArray(value)) return readSigningList(value, path, mistakes);
    const name = readBindingName(value, path, mistakes);
    return name === undefined ? undefined : [name];
  },
  { ...readSigningList.schema, ...readBindingName.schema, type: ["string", "array"] },
);

export const HTTP_READERS = {
  local: described(readLocal, "Where npm start delivers instead: a URL, or print to show it in the terminal."),
  format: described(
    readOneOf(FORMATS),
    "binary: CloudEvents headers and the payload as body. structured: the whole CloudEvent as JSON. raw: as the vendor sent it.",
    { default: "binary" },
  ),
  headers: described(readHeaders, "Headers of the request: a value, or { secret: NAME } for the value of a secret."),
  sign: described(readSigningSecrets, "The secret to sign with (Standard Webhooks), or a list of them.", {
    examples: ["CI_SIGNING_SECRET"],
  }),
};
