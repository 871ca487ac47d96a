/** The headers that a rule file adds to a target's requests: which names are free, and what a value may hold. */
/** A header with its lower-case name, and its value or the name of the secret that holds the value. */
export type TargetHeader =
  | { readonly name: string; readonly constant: string }
  | { readonly name: string; readonly secret: string };

export const HEADER_NAME_CHARS_MAX = 100;
export const HEADER_VALUE_BYTES_MAX = 4_096;

/** Headers that belong to the connection, to Cloudflare's edge, to cookies, or that Sluice writes itself. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const RESERVED_PREFIXES = ["ce-", "cf-", "proxy-", "webhook-", "x-forwarded-"];

export function isReservedHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED_NAMES.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}

export const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

export const HEADER_VALUE = /^[\t\u0020-\u007e]*$/;

/** Whether a name is a token (RFC 9110, section 5.6.2) of bearable length. */
export function isHeaderName(name: string): boolean {
  return name.length <= HEADER_NAME_CHARS_MAX && HEADER_NAME.test(name);
}

/** What keeps a text from being a header's value, or undefined. Never repeats the text: it may be a secret. */
export function headerValueProblem(value: string): string | undefined {
  if (value.length > HEADER_VALUE_BYTES_MAX) return `is longer than ${HEADER_VALUE_BYTES_MAX} bytes`;
  if (/[\r\n]/.test(value)) return "holds a line break";
  if (!HEADER_VALUE.test(value)) return "holds a character other than visible ASCII, space and tab";
  return undefined;
}
