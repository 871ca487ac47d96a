/**
 * How a target's requests say who sends them: `auth` in targets.yaml. Custom headers stand in `headers`.
 *
 * ```yaml
 * auth: { bearer: CI_TOKEN }
 * auth: { basic: { user: deployer, password: CI_PASSWORD } }
 * auth: { oauth2: { token-url: https://auth.example.com/token, client-id: sluice, client-secret: CI_CLIENT_SECRET } }
 * ```
 */
import { toBase64 } from "../core/event.ts";
import type { ClientCredentials } from "../core/oauth2.ts";
import { CLIENT_CREDENTIALS } from "../core/oauth2.ts";
import type { Reader, Readers } from "../core/read-object.ts";
import { describe, readBindingName, readMembers, readOneOf } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import type { Json, JsonObject, Mistake, PathStep, Result } from "../core/result.ts";
import { err, isJsonObject, ok } from "../core/result.ts";
import { headerValueProblem } from "./_headers.ts";
import type { TargetUrl } from "./_url.ts";
import { readTargetUrl } from "./_url.ts";

/** Of a user name, a client's id, a scope and an audience, as they stand in targets.yaml. */
export const AUTH_TEXT_CHARS_MAX = 512;

/** A text that may be public, or the name of the secret that holds it. */
export type TextOrSecret = { readonly constant: string } | { readonly secret: string };

export interface Oauth2 {
  readonly tokenUrl: TargetUrl;
  readonly clientId: TextOrSecret;
  /** A secret's name. */
  readonly clientSecret: string;
  readonly scope: string | undefined;
  readonly audience: string | undefined;
  readonly credentials: ClientCredentials;
}

/** `bearer` and `password` name secrets. */
export type TargetAuth =
  | { readonly kind: "bearer"; readonly secret: string }
  | { readonly kind: "basic"; readonly user: TextOrSecret; readonly password: string }
  | { readonly kind: "oauth2"; readonly oauth2: Oauth2 };

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

export function authSecretNames(auth: TargetAuth | undefined): readonly string[] {
  switch (auth?.kind) {
    case "bearer":
      return [auth.secret];
    case "basic":
      return [...namesIn(auth.user), auth.password];
    case "oauth2":
      return [...namesIn(auth.oauth2.clientId), auth.oauth2.clientSecret];
    case undefined:
      return [];
  }
}

function namesIn(text: TextOrSecret): readonly string[] {
  return "secret" in text ? [text.secret] : [];
}

/** The header as people are shown it. */
export function shownAuthorization(auth: TargetAuth): string {
  switch (auth.kind) {
    case "bearer":
      return `Bearer <secret ${auth.secret}>`;
    case "basic": {
      const user = "secret" in auth.user ? `secret ${auth.user.secret}` : `user ${auth.user.constant}`;
      return `Basic <${user} and secret ${auth.password}>`;
    }
    case "oauth2":
      return `Bearer <token from ${auth.oauth2.tokenUrl.url}>`;
  }
}

export interface Authorization {
  readonly value: string;
  /** What of it must not be shown. */
  readonly secrets: readonly string[];
}

/** The header's value, or what keeps a secret from being sent. `secret` answers a problem where one is not set. */
export function authorization(
  auth: Exclude<TargetAuth, { kind: "oauth2" }>,
  secret: (name: string) => Result<string, string>,
): Result<Authorization, string> {
  if (auth.kind === "bearer") {
    const token = secret(auth.secret);
    if (!token.ok) return token;
    const problem = headerValueProblem(token.value);
    if (problem !== undefined) return err(`the secret ${auth.secret} can't be sent as a bearer token: it ${problem}`);
    return ok({ value: `Bearer ${token.value}`, secrets: [token.value] });
  }
  const user = "secret" in auth.user ? secret(auth.user.secret) : ok(auth.user.constant);
  if (!user.ok) return user;
  const password = secret(auth.password);
  if (!password.ok) return password;
  // RFC 7617, section 2: no colon in the user's name, no control characters anywhere.
  const { user: name } = auth;
  if ("secret" in name && /[:\u0000-\u001f\u007f]/.test(user.value)) {
    return err(`the secret ${name.secret} can't be sent as a user name: it holds a colon or a control character`);
  }
  if (/[\u0000-\u001f\u007f]/.test(password.value)) {
    return err(`the secret ${auth.password} can't be sent as a password: it holds a control character`);
  }
  const credentials = toBase64(new TextEncoder().encode(`${user.value}:${password.value}`));
  const secrets = [password.value, credentials, ...("secret" in name ? [user.value] : [])];
  return ok({ value: `Basic ${credentials}`, secrets });
}
