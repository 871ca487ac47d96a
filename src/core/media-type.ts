/**
 * Media types as `Content-Type` and `datacontenttype` carry them: RFC 2046 as RFC 9110 (section 8.3.1) writes it.
 */

/** RFC 6838, section 4.2 allows 127 characters for each half; the rest is room for parameters. */
export const MEDIA_TYPE_CHARACTERS_MAX = 1_024;

// A run of spaces belongs to exactly one place in here, so a hostile value can't make it backtrack.
const MEDIA_TYPE =
  /^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+[ \t]*(?:;[ \t]*(?:[!#$%&'*+.^_`|~\w-]+=(?:[!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*")[ \t]*)?)*$/;

export function isMediaType(text: string): boolean {
  return text.length <= MEDIA_TYPE_CHARACTERS_MAX && MEDIA_TYPE.test(text);
}

/** The media type of a `Content-Type` value without its parameters, in lower case; empty when there is none. */
export function bareMediaType(contentType: string | null): string {
  return (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

const FOUND_CHARACTERS_MAX = 100;

/** A `Content-Type` value as a rejection shows it. */
export function shownContentType(contentType: string | null): string {
  return (contentType ?? "").slice(0, FOUND_CHARACTERS_MAX);
}
