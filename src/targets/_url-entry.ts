/**
 * Where a target may be. Targets stand only in rule files, so this is no defence against events (nothing in an event chooses
 * a host) but against a slip of the pen and against rules copied from elsewhere. A Worker can't see what a name resolves to;
 * the `global_fetch_strictly_public` flag keeps fetches out of private places, and the rules here refuse what is visibly wrong.
 * All checks look at the host as the WHATWG URL parser understands it, so `0x7f.1` and `2130706433` are what they mean.
 */
import { describe } from "../core/read-object.ts";
import type { Reader } from "../core/read-object.ts";
import { withSchema } from "../core/reader-schema.ts";
import { err, ok } from "../core/result.ts";
import type { JsonObject, Result } from "../core/result.ts";
import { URL_CHARS_MAX } from "./_url.ts";
import type { TargetUrl } from "./_url.ts";

/** As far as an expression can say it: which hosts there may be is not in it. */
export const TARGET_URL_SCHEMA: JsonObject = {
  type: "string",
  maxLength: URL_CHARS_MAX,
  pattern:
    "^(?!.*\\$\\{)[Hh][Tt][Tt][Pp][Ss]?://[^\\u0000-\\u0020\\u007f\\\\#@/?]+([/?][^\\u0000-\\u0020\\u007f\\\\#]*)?$",
  patternErrorMessage: "Expected an https URL, without user name, spaces and fragment.",
  examples: ["https://"],
};

/** Reads a target's URL; the message never repeats it, because people paste credentials into URLs. */
export const readTargetUrl: Reader<TargetUrl> = withSchema((value, path, mistakes) => {
  if (typeof value !== "string" || value === "") {
    mistakes.push({ path, message: `expected an absolute https URL, found ${describe(value)}` });
    return undefined;
  }
  const parsed = parseTargetUrl(value);
  if (parsed.ok) return parsed.value;
  mistakes.push({ path, message: parsed.error });
  return undefined;
}, TARGET_URL_SCHEMA);

/** The URL if a target may be there, else what is wrong with it in one sentence. */
export function parseTargetUrl(text: string): Result<TargetUrl, string> {
  if (text.length > URL_CHARS_MAX) return err(`expected a URL of at most ${URL_CHARS_MAX} characters`);
  if (text.includes("${")) return err("${…} in a target's URL is not built yet; write the URL out");
  // The parser drops tabs and line breaks, and reads a backslash as a slash: what is written must be what is meant.
  if (/[\u0000-\u0020\u007f\\]/.test(text)) {
    return err("expected a URL without spaces, control characters and backslashes");
  }
  const authority = /^https?:\/\/([^/?#]+)/i.exec(text)?.[1];
  if (authority === undefined || !URL.canParse(text)) {
    return err("expected an absolute https URL such as https://ci.example.com/hooks");
  }
  if (authority.includes("@")) {
    return err("expected a URL without user name and password; use headers: { Authorization: { secret: NAME } }");
  }
  if (text.includes("#")) return err("expected a URL without a fragment (#…): it would never be sent");
  return checkHost(new URL(text));
}

function checkHost(url: URL): Result<TargetUrl, string> {
  const host = url.hostname.replace(/\.$/, "");
  if (host !== url.hostname) url.hostname = host;
  const isLoopback = isLoopbackHost(host);
  if (!isLoopback) {
    const problem = publicHostProblem(host);
    if (problem !== undefined) return err(problem);
    if (url.protocol !== "https:") return err("expected https; plain http is only for this machine (localhost)");
  }
  return ok({ url: url.href, isLoopback });
}

function isLoopbackHost(host: string): boolean {
  return host === "[::1]" || host === "localhost" || host.endsWith(".localhost") || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function publicHostProblem(host: string): string | undefined {
  if (host.startsWith("[") || /^\d+(?:\.\d+){3}$/.test(host)) {
    return "expected a host name: Cloudflare's edge sends nothing to IP addresses, and private ones are no targets";
  }
  const labels = host.split(".");
  if (labels.some((label) => !/^[a-z0-9_-]{1,63}$/.test(label)) || host.length > 253) {
    return "expected a valid host name";
  }
  if (labels.length < 2) return `expected a public host name with a dot in it, found ${describe(host)}`;
  return undefined;
}
