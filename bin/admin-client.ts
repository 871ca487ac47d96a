/** Talks to a router: its admin API with the admin's token, and its ingest routes. */
import type { Json, JsonObject, Result } from "../src/core/result.ts";
import { err, isJsonObject, ok, ownMember } from "../src/core/result.ts";
import type { Failure } from "./failure.ts";
import type { Environment } from "./local/dev-vars.ts";
import { DEV_VARS_FILE, findSecret } from "./local/dev-vars.ts";
import { printable } from "./terminal.ts";

export const URL_DEFAULT = "http://127.0.0.1:8787";
const TOKEN_NAME = "ADMIN_TOKEN";
const REQUEST_TIMEOUT_MS = 30_000;
const DETAIL_CHARS_MAX = 500;

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Null when the body isn't JSON. */
  readonly body: Json;
}

export interface AdminClient {
  /** A request to a path below `/api`. Statuses of 400 and more are failures, except where they carry results. */
  readonly get: (
    path: string,
    query?: Readonly<Record<string, string | undefined>>,
  ) => Promise<Result<JsonObject, Failure>>;
  /** The same, as the text that was sent: for events, whose numbers are to stay as they are. It is valid JSON. */
  readonly getText: (
    path: string,
    query?: Readonly<Record<string, string | undefined>>,
  ) => Promise<Result<string, Failure>>;
  readonly post: (path: string, body: JsonObject) => Promise<Result<JsonObject, Failure>>;
}

/** A client for the router at `to`, with the token from the environment or `.dev.vars`. */
export async function connectAdmin(to: string, env: Environment): Promise<Result<AdminClient, Failure>> {
  const token = await findSecret(TOKEN_NAME, env);
  if (!token.ok) return token;
  if (token.value === undefined) {
    return err({
      message: `no ${TOKEN_NAME} is set, in the environment or in ${DEV_VARS_FILE}`,
      hint: `npm start writes one for a local router; for a deployed one: ${TOKEN_NAME}=… npm run sluice -- …`,
    });
  }
  const authorization = `Bearer ${token.value}`;
  const ask = async (
    path: string,
    init: Pick<RequestInit, "method" | "body">,
  ): Promise<Result<Answer & { readonly body: JsonObject }, Failure>> => {
    const headers = { authorization, "content-type": "application/json" };
    const answer = await request(`${to}/api${path}`, { ...init, headers });
    if (!answer.ok) return answer;
    const { status, body } = answer.value;
    const hasResults = isJsonObject(body) && Object.hasOwn(body, "results");
    if (isJsonObject(body) && (status < 400 || hasResults)) return ok({ ...answer.value, body });
    return err(describeRefusal(status, body, to));
  };
  return ok({
    get: async (path, query = {}) => bodyOf(await ask(withQuery(path, query), { method: "GET" })),
    getText: async (path, query = {}) => {
      const answer = await ask(withQuery(path, query), { method: "GET" });
      return answer.ok ? ok(answer.value.text) : answer;
    },
    post: async (path, body) => bodyOf(await ask(path, { method: "POST", body: JSON.stringify(body) })),
  });
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = new URLSearchParams(given).toString();
  return search === "" ? path : `${path}?${search}`;
}

function bodyOf(answer: Result<{ readonly body: JsonObject }, Failure>): Result<JsonObject, Failure> {
  return answer.ok ? ok(answer.value.body) : answer;
}

/** One request; fails only when there was no answer. */
export async function request(url: string, init: RequestInit): Promise<Result<Answer, Failure>> {
  try {
    const response = await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    const text = await response.text();
    return ok({ status: response.status, text, body: parseOrNull(text) });
  } catch (error) {
    return err(describeSilence(error, new URL(url).origin));
  }
}

function parseOrNull(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function describeSilence(error: unknown, origin: string): Failure {
  const { name, cause } = error as Error & { readonly cause?: { readonly code?: string } };
  if (name === "TimeoutError") return { message: `${origin} did not answer within ${REQUEST_TIMEOUT_MS / 1_000} s` };
  return {
    message: `no router answers at ${origin}${cause?.code === undefined ? "" : ` (${cause.code})`}`,
    hint: "Run npm start in another terminal first, or name the router with --to URL.",
  };
}

/** What a router's problem document says (RFC 9457), or what the status alone says. */
export function describeRefusal(status: number, body: Json, to: string): Failure {
  const member = (name: string): string | undefined => {
    const value = isJsonObject(body) ? ownMember(body, name) : undefined;
    return typeof value === "string" ? printable(value.slice(0, DETAIL_CHARS_MAX)) : undefined;
  };
  const title = member("title");
  if (title === undefined) {
    return {
      message: `${to} answered ${status}, and not as a Sluice router does`,
      hint: "Is --to the router's address?",
    };
  }
  const detail = member("detail");
  const message = `${title.toLowerCase()} (${status})${detail === undefined ? "" : `: ${detail.replace(/\.$/, "")}`}`;
  if (!(member("type") ?? "").endsWith(":wrong-admin-token")) return { message };
  return {
    message,
    hint: `The token was read from the environment variable ${TOKEN_NAME}, else from ${DEV_VARS_FILE}: it must be that router's.`,
  };
}
