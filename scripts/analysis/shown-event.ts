/** An event made up as an example, short enough for a message. */
import type { JsonObject } from "../../src/core/result.ts";

export const SHOWN_CHARACTERS_MAX = 240;

/** JSON on one line, cut where it is too long. JSON leaves some control characters as they are; a terminal shouldn't get them. */
export function shownEvent(event: JsonObject): string {
  const text = JSON.stringify(event).replaceAll(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}
