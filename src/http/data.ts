/**
 * `GET` and `HEAD /data/<token>`: a claimed body, for whoever a message referred to it. The token is the permission.
 * Ranges and conditions: RFC 9110, sections 13.1.2 (If-None-Match), 13.1.5 (If-Range) and 14 (one range of bytes; of several,
 * the whole body is sent, as section 14.2 allows).
 */
import type { BodyStore, StoredBody } from "../bus/body-store.ts";
import { DATA_SECRET, dataSecretProblem, readDataToken } from "../core/data-token.ts";
import type { Hashing } from "../core/source.ts";
import type { Problem } from "./problem.ts";
import { problemResponse } from "./problem.ts";

/** Nobody between us and the consumer needs it for longer, and a consumer that comes again soon need not ask. */
export const DATA_CACHE_SECONDS_MAX = 3_600;

export interface DataPorts {
  readonly bodies: BodyStore | undefined;
  readonly secret: (name: string) => string | undefined;
  readonly hashing: Hashing;
  readonly now: () => number;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

const NOT_FOUND: Problem = {
  status: 404,
  title: "Not found",
  detail: "There is no body at this address.",
};

const GONE: Problem = {
  status: 410,
  title: "Expired",
  detail: "The time for which this body could be fetched is over.",
};

const REMOVED: Problem = {
  status: 404,
  title: "Body removed",
  detail: "The token is right, but the body is not there any more: its event has left the log.",
};

const UNAVAILABLE: Problem = {
  status: 503,
  title: "Body store unavailable",
  detail: "The body could not be read. Try again.",
  headers: { "retry-after": "5" },
};

export async function serveData(request: Request, token: string, ports: DataPorts): Promise<Response> {
  const { bodies, now } = ports;
  const secret = ports.secret(DATA_SECRET);
  const secretProblem = dataSecretProblem(secret);
  if (bodies === undefined || secret === undefined || secretProblem !== undefined) {
    const detail = secretProblem ?? "there is no body store: wrangler.toml has no bucket with the binding BODIES";
    return problemResponse("data-not-configured", { status: 503, title: "Bodies not configured", detail });
  }
  const grant = readDataToken(token, secret, now(), ports.hashing);
  if (!grant.ok) {
    return grant.error === "expired" ? problemResponse("data-expired", GONE) : problemResponse("not-found", NOT_FOUND);
  }
  const { key, expiresAt } = grant.value;
  try {
    const stored = await bodies.read(key);
    if (stored === null) return problemResponse("data-removed", REMOVED);
    return await respond(request, stored, headersOf(stored, expiresAt - now()), (range) => bodies.read(key, range));
  } catch (error) {
    ports.log("data.failed", { key, error: String(error) });
    return problemResponse("data-unavailable", UNAVAILABLE);
  }
}

async function respond(
  request: Request,
  stored: StoredBody,
  headers: Record<string, string>,
  readRange: (range: ByteRange) => Promise<StoredBody | null>,
): Promise<Response> {
  const { bytes, etag, body } = stored;
  const cancel = () => body.cancel();
  if (isNamedBy(request.headers.get("if-none-match"), etag)) {
    await cancel();
    return new Response(null, { status: 304, headers });
  }
  const ifRange = request.headers.get("if-range");
  const isWholeWanted = ifRange !== null && ifRange !== etag;
  const range = isWholeWanted ? undefined : readRangeHeader(request.headers.get("range"), bytes);
  if (range === "unsatisfiable") {
    await cancel();
    return problemResponse("range-not-satisfiable", {
      status: 416,
      title: "Range not satisfiable",
      detail: `The body has ${bytes} bytes.`,
      headers: { "content-range": `bytes */${bytes}`, "accept-ranges": "bytes" },
    });
  }
  const isHead = request.method === "HEAD";
  // RFC 9110, section 14.2: a range is for GET only.
  if (range === undefined || isHead) {
    const whole = { ...headers, "content-length": String(bytes) };
    if (isHead) await cancel();
    return new Response(isHead ? null : body, { status: 200, headers: whole });
  }
  await cancel();
  const part = await readRange(range);
  if (part === null) return problemResponse("data-removed", REMOVED);
  return new Response(part.body, {
    status: 206,
    headers: {
      ...headers,
      "content-length": String(range.length),
      "content-range": `bytes ${range.offset}-${range.offset + range.length - 1}/${bytes}`,
    },
  });
}

/** A sender chose the content, so no browser may take it for a page of this host. */
function headersOf({ contentType, etag }: StoredBody, leftMs: number): Record<string, string> {
  const cacheSeconds = Math.max(0, Math.min(DATA_CACHE_SECONDS_MAX, Math.floor(leftMs / 1_000)));
  return {
    "content-type": contentType ?? "application/octet-stream",
    "content-disposition": "attachment",
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    // no-transform: Cloudflare would compress some types, and a range is of these bytes
    // (https://developers.cloudflare.com/speed/optimization/content/compression/).
    "cache-control": `private, no-transform, max-age=${cacheSeconds}`,
    "referrer-policy": "no-referrer",
    "accept-ranges": "bytes",
    etag,
  };
}

interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** RFC 9110, section 14.1.2. Undefined: no range, one of another unit, several, or one that is written wrongly. */
function readRangeHeader(header: string | null, bytes: number): ByteRange | "unsatisfiable" | undefined {
  const found = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(header ?? "");
  if (found === null) return undefined;
  const [first = "", last = ""] = found.slice(1);
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? "unsatisfiable" : { offset: bytes - length, length };
  }
  if (last !== "" && Number(last) < Number(first)) return undefined;
  const offset = Number(first);
  if (offset >= bytes) return "unsatisfiable";
  const end = last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return { offset, length: end - offset + 1 };
}

/** RFC 9110, section 13.1.2: a weak comparison, so `W/` says nothing. */
function isNamedBy(header: string | null, etag: string): boolean {
  if (header === null) return false;
  const plain = (tag: string) => tag.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((tag) => plain(tag) === plain(etag));
}
