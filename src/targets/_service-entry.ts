/** Reads the entry of a service in targets.yaml: only the build needs it, a deployed Worker has what it said. */
import { describe, readBindingName, readMembers, readOneOf } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { described, membersSchema, withSchema } from "../core/reader-schema.ts";
import { err, ok } from "../core/result.ts";
import type { JsonObject, Mistake, Result } from "../core/result.ts";
import type { TargetEntry } from "../core/target.ts";
import { HTTP_READERS } from "./_http-keys.ts";
import type { HttpConfig } from "./_http-request.ts";
import { DATA_FORMS } from "./_service-call.ts";
import type { DataForm } from "./_service-call.ts";
import { URL_CHARS_MAX } from "./_url.ts";

export const METHOD_CHARS_MAX = 64;

/**
 * Names that RPC or the platform keeps for itself, and `then`, which would make a promise of the stub.
 * https://developers.cloudflare.com/workers/runtime-apis/rpc/reserved-methods/
 */
const RESERVED_METHODS: ReadonlySet<string> = new Set([
  "alarm",
  "connect",
  "constructor",
  "dup",
  "email",
  "fetch",
  "queue",
  "scheduled",
  "tail",
  "tailStream",
  "test",
  "then",
  "trace",
  "webSocketClose",
  "webSocketError",
  "webSocketMessage",
]);

const METHOD_NAME = new RegExp(`^[A-Za-z][A-Za-z0-9_]{0,${METHOD_CHARS_MAX - 1}}$`);
const PATH = /^\/[^\u0000-\u0020\u007f\\#]*$/;

export interface ServiceConfig {
  readonly binding: string;
  /** Undefined: its `fetch` is called. */
  readonly call: { readonly method: string; readonly data: DataForm } | undefined;
  /** The request to its `fetch`, or to what takes its place under `npm start`. */
  readonly request: HttpConfig;
}

const readMethod: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && METHOD_NAME.test(value) && !RESERVED_METHODS.has(value)) return value;
    const reserved = typeof value === "string" && RESERVED_METHODS.has(value);
    const message = reserved
      ? `${describe(value)} is a name that the platform keeps for itself${value === "fetch" ? "; fetch is called without method:" : ""}`
      : `expected the name of a method (a letter, then letters, digits and _, such as handle), found ${describe(value)}`;
    mistakes.push({ path, message });
    return undefined;
  },
  { type: "string", pattern: METHOD_NAME.source, not: { enum: [...RESERVED_METHODS] } },
);

const readPath: Reader<string> = withSchema(
  (value, path, mistakes) => {
    if (typeof value === "string" && PATH.test(value) && value.length <= URL_CHARS_MAX) return value;
    const message = `expected a path such as /hooks, at most ${URL_CHARS_MAX} characters, without spaces, backslashes and fragment`;
    mistakes.push({ path, message });
    return undefined;
  },
  { type: "string", pattern: PATH.source, maxLength: URL_CHARS_MAX },
);

const READERS = {
  service: described(readBindingName, "The service binding in wrangler.toml, [[services]].", {
    examples: ["PROCESSOR"],
  }),
  path: described(readPath, "The path of the request's URL, its query included.", { default: "/" }),
  method: described(readMethod, "The method of its entry point to call instead of fetch.", { examples: ["handle"] }),
  data: described(
    readOneOf(DATA_FORMS),
    "How the method gets the event's data. json: parsed. bytes: as it was received.",
    { default: "json" },
  ),
  ...HTTP_READERS,
};

/** What a request has and the call of a method has not. */
const REQUEST_KEYS = ["path", "format", "headers", "sign"];

function parse(entry: JsonObject): Result<ServiceConfig, readonly Mistake[]> {
  const mistakes: Mistake[] = [];
  const read = readMembers(entry, [], READERS, mistakes);
  if (!Object.hasOwn(entry, "service")) {
    mistakes.push({ path: [], message: "expected the service's binding under service" });
  }
  const needless = Object.hasOwn(entry, "method") ? REQUEST_KEYS : ["data"];
  for (const key of needless.filter((each) => Object.hasOwn(entry, each))) {
    const message =
      key === "data" ? "data is for a method; add method:" : `${key} is for fetch; leave out ${key} or method`;
    mistakes.push({ path: [key], at: "key", message });
  }
  const local = read.local;
  if (read.method !== undefined && local !== undefined && local !== "print") {
    mistakes.push({ path: ["local"], message: "a method can't be called at a URL; use print" });
  }
  const binding = read.service;
  if (binding === undefined || mistakes.length > 0) return err(mistakes);
  const url = new URL(`https://${binding.toLowerCase()}.service${read.path ?? "/"}`).href;
  return ok({
    binding,
    call: read.method === undefined ? undefined : { method: read.method, data: read.data ?? "json" },
    request: {
      target: { url, isLoopback: false },
      local,
      format: read.format ?? "binary",
      headers: read.headers ?? [],
      signingSecrets: read.sign ?? [],
    },
  });
}

export default function entry(): TargetEntry<ServiceConfig> {
  return {
    summary: "Hands events to another Worker by a service binding: its fetch, or a method.",
    schema: membersSchema(READERS, {
      required: ["service"],
      dependencies: {
        method: { properties: Object.fromEntries(REQUEST_KEYS.map((key) => [key, false])) },
        data: ["method"],
      },
    }),
    parse,
  };
}
