/** Words of others (error messages, answers) made fit to be kept: bounded, printable, without what must stay secret. */

export const FAILURE_CHARS_MAX = 200;

/** What shorter secrets hide would tear holes into ordinary words. */
const REDACTED_CHARS_MIN = 6;

const REDACTED = "[redacted]";

/** Control characters but tab and line feed: they would let a text rewrite the terminal or the log that shows it. */
export function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

/** Targets that echo what they got (test servers do) must not turn an attempt's record into a store of secrets. */
export function redact(text: string, secrets: readonly string[]): string {
  // Longest first: a secret that another one begins with must not leave that one's end behind.
  const spelled = allSpellings(secrets).toSorted((a, b) => b.length - a.length);
  let redacted = text;
  for (const each of spelled) redacted = redacted.replaceAll(each, REDACTED);
  // Texts are cut at a limit, which may fall into a secret.
  const cut = Math.max(0, ...spelled.map((each) => sharedLength(redacted, each)));
  return cut === 0 ? redacted : redacted.slice(0, -cut) + REDACTED;
}

/** Whether a text repeats a secret: for what can't be redacted, because it must stay as it is. */
export function holdsSecret(text: string, secrets: readonly string[]): boolean {
  return allSpellings(secrets).some((each) => text.includes(each));
}

function allSpellings(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets.flatMap(spellings))].filter((each) => each.length >= REDACTED_CHARS_MIN);
}

/** A secret as it is, in JSON, in JSON as PHP writes it and percent-encoded; its credential without the scheme, too. */
function spellings(secret: string): readonly string[] {
  const credential = /^\S+ +(\S.*)$/.exec(secret)?.[1];
  return [secret, ...(credential === undefined ? [] : [credential])].flatMap((each) => {
    const inJson = JSON.stringify(each).slice(1, -1);
    return [each, inJson, inJson.replaceAll("/", "\\/"), encodeURIComponent(each.toWellFormed())];
  });
}

/** How many characters of the secret's beginning the text ends with, where they are enough to tell. */
function sharedLength(text: string, secret: string): number {
  for (let length = Math.min(secret.length, text.length); length >= REDACTED_CHARS_MIN; length--) {
    if (text.endsWith(secret.slice(0, length))) return length;
  }
  return 0;
}

/**
 * One line about a failed call. A system error code (`ECONNREFUSED`) says it best; else the runtime's message, of which URLs
 * and quoted parts are left out, because they hold what was to be sent and where.
 */
export function describeFailure(error: unknown, secrets: readonly string[] = []): string {
  const code = codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined);
  if (code !== undefined) return code;
  const message = error instanceof Error ? error.message : "";
  const cleaned = redact(withoutControls(message), secrets)
    // A bounded scheme: an unbounded one would be looked for anew from each letter of a long word with dots.
    .replace(/[a-z0-9+.-]{0,30}:\/\/\S*/gi, "<url>")
    .replace(/"[^"]*"?|'[^']*'?|`[^`]*`?/g, "…")
    .replace(/\s+/g, " ")
    .trim();
  return cleaned === "" ? "no reason given" : cleaned.slice(0, FAILURE_CHARS_MAX);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(error.code) ? error.code : undefined;
}
