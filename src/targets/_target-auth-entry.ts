/** Reads `auth` of targets.yaml: which header says who sends (_target-auth.ts makes it). */
import { CLIENT_CREDENTIALS } from "../core/oauth2.ts";
import { describe, readBindingName, readMembers, readOneOf } from "../core/read-object.ts";
import type { Reader, Readers } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import { isJsonObject } from "../core/result.ts";
import type { Json, JsonObject, Mistake, PathStep } from "../core/result.ts";
import type { Oauth2, TargetAuth, TextOrSecret } from "./_target-auth.ts";
import { readTargetUrl } from "./_url-entry.ts";
import type { TargetUrl } from "./_url.ts";

/** Of a user name, a client's id, a scope and an audience, as they stand in targets.yaml. */
export const AUTH_TEXT_CHARS_MAX = 512;

const TEXT = /^[\u0020-\u007e]+$/;

const readText: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && TEXT.test(value) && value.length <= AUTH_TEXT_CHARS_MAX) return value;
    // Not described: this is where a secret is pasted by mistake.
    mistakes.push({ path, message: `expected a text of visible ASCII, at most ${AUTH_TEXT_CHARS_MAX} characters` });
    return undefined;
  },
  { type: "string", minLength: 1, maxLength: AUTH_TEXT_CHARS_MAX, pattern: TEXT.source },
);

const SECRET_READERS = { secret: described(readBindingName, "The name of the secret that holds it.") };

const readTextOrSecret: Reader<TextOrSecret> = withSchema(
  (value, path, mistakes) => {
    if (!isJsonObject(value)) {
      const constant = readText(value, path, mistakes);
      return constant === undefined ? undefined : { constant };
    }
    const read = readAll(value, path, SECRET_READERS, ["secret"], mistakes);
    return read === undefined ? undefined : { secret: read.secret as string };
  },
  { anyOf: [readText.schema ?? {}, membersSchema(SECRET_READERS, { required: ["secret"] })] },
);

const BASIC_READERS = {
  user: described(readTextOrSecret, "The user's name, or { secret: NAME }."),
  password: described(readBindingName, "The name of the secret that holds the password."),
};

const readBasic: Reader<TargetAuth> = withSchema(
  (value, path, mistakes) => {
    const read = readAll(value, path, BASIC_READERS, ["user", "password"], mistakes);
    if (read?.user === undefined || read.password === undefined) return undefined;
    if ("constant" in read.user && read.user.constant.includes(":")) {
      mistakes.push({ path: [...path, "user"], message: "expected a user name without a colon (RFC 7617, section 2)" });
      return undefined;
    }
    return { kind: "basic", user: read.user, password: read.password };
  },
  membersSchema(BASIC_READERS, { required: ["user", "password"] }),
);

const OAUTH2_READERS = {
  "token-url": described(readTargetUrl, "Where tokens are asked for, https."),
  "client-id": described(readTextOrSecret, "The client's id, or { secret: NAME }."),
  "client-secret": described(readBindingName, "The name of the secret that holds the client's secret."),
  scope: described(readText, "What the token is to allow, as the server wants it: names with a space between them."),
  audience: described(readText, "Whom the token is for, where the server asks for it."),
  credentials: described(
    readOneOf(CLIENT_CREDENTIALS),
    "basic: the client's id and secret in the Authorization header. body: in the form.",
    { default: "basic" },
  ),
};

const OAUTH2_REQUIRED = ["token-url", "client-id", "client-secret"];

const readOauth2: Reader<TargetAuth> = withSchema(
  (value, path, mistakes) => {
    const read = readAll(value, path, OAUTH2_READERS, OAUTH2_REQUIRED, mistakes);
    if (read === undefined) return undefined;
    const oauth2: Oauth2 = {
      tokenUrl: read["token-url"] as TargetUrl,
      clientId: read["client-id"] as TextOrSecret,
      clientSecret: read["client-secret"] as string,
      scope: read.scope,
      audience: read.audience,
      credentials: read.credentials ?? "basic",
    };
    return { kind: "oauth2", oauth2 };
  },
  membersSchema(OAUTH2_READERS, { required: OAUTH2_REQUIRED }),
);

const AUTH_READERS = {
  bearer: described(readBindingName, "The name of the secret that is sent as a bearer token."),
  basic: described(readBasic, "User name and password (RFC 7617)."),
  oauth2: described(
    readOauth2,
    "A token of its own for each hour or so, by client credentials (RFC 6749, section 4.4).",
  ),
};

const KINDS = Object.keys(AUTH_READERS).join(", ");

export const readTargetAuth: Reader<TargetAuth> = withSchema(
  (value, path, mistakes) => {
    if (!isJsonObject(value)) {
      mistakes.push({ path, message: `expected { bearer: SECRET_NAME } or another of ${KINDS}` });
      return undefined;
    }
    const before = mistakes.length;
    const { bearer, basic, oauth2 } = readMembers(value, path, AUTH_READERS, mistakes);
    if (mistakes.length > before) return undefined;
    const found: readonly TargetAuth[] = [
      ...(bearer === undefined ? [] : [{ kind: "bearer" as const, secret: bearer }]),
      ...(basic === undefined ? [] : [basic]),
      ...(oauth2 === undefined ? [] : [oauth2]),
    ];
    if (found.length !== 1) {
      mistakes.push({ path, message: `expected one of ${KINDS}, found ${found.length === 0 ? "none" : "several"}` });
      return undefined;
    }
    return found[0];
  },
  membersSchema(AUTH_READERS, { minProperties: 1, maxProperties: 1 }),
);

/** Reads an object with all of its required members; undefined when something is wrong with it. */
function readAll<Members extends Readers>(
  value: Json,
  path: readonly PathStep[],
  readers: Members,
  required: readonly string[],
  mistakes: Mistake[],
) {
  if (!isJsonObject(value)) {
    mistakes.push({ path, message: `expected an object with ${required.join(", ")}` });
    return undefined;
  }
  const before = mistakes.length;
  const read = readMembers(value as JsonObject, path, readers, mistakes);
  if (mistakes.length > before) return undefined;
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  if (missing.length === 0) return read;
  mistakes.push({ path, message: `expected ${missing.join(" and ")}, found ${describe(undefined)}` });
  return undefined;
}
