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
import { err, ok } from "../core/result.ts";
import type { Result } from "../core/result.ts";
import { headerValueProblem } from "./_headers.ts";
import type { TargetUrl } from "./_url.ts";

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
