/** A line of the log: JSON, so that Workers Logs and `wrangler tail` index its fields. */

/** Kept of a text: attributes and errors may be as long as others make them, and a line of the platform's log has its limit. */
export const LOG_TEXT_CHARS_MAX = 1_024;
/** Kept of a list. */
export const LOG_ITEMS_MAX = 20;

export function logLine(message: string, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ message, ...fields }, (_name, value: unknown) => {
    if (typeof value === "string" && value.length > LOG_TEXT_CHARS_MAX) return `${value.slice(0, LOG_TEXT_CHARS_MAX)}…`;
    if (Array.isArray(value) && value.length > LOG_ITEMS_MAX) return [...value.slice(0, LOG_ITEMS_MAX), "…"];
    return value;
  });
}
