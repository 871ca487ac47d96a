/** Words of others (error messages, answers) made fit to be kept: bounded, printable, without what must stay secret. */

export const FAILURE_CHARS_MAX = 200;

/** What shorter secrets hide would tear holes into ordinary words. */
const REDACTED_CHARS_MIN = 6;

/** Control characters but tab and line feed: they would let a text rewrite the terminal or the log that shows it. */
export function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

/** Targets that echo what they got (test servers do) must not turn an attempt's record into a store of secrets. */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets) {
    if (secret.length >= REDACTED_CHARS_MIN) redacted = redacted.replaceAll(secret, "[redacted]");
  }
  return redacted;
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
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/\S*/gi, "<url>")
    .replace(/"[^"]*"?|'[^']*'?|`[^`]*`?/g, "…")
    .replace(/\s+/g, " ")
    .trim();
  return cleaned === "" ? "no reason given" : cleaned.slice(0, FAILURE_CHARS_MAX);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(error.code) ? error.code : undefined;
}
