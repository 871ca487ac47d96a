/**
 * Templates: JSON with `<name>` placeholders, after EventBridge's input transformer
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html). A placeholder that stands alone
 * inserts a JSON value with its type, one inside a string inserts text. Everything that came from an event is written by
 * `JSON.stringify`, so no value can break out of its place.
 */
import type { Json } from "./result.ts";

/** The size of a template, as the JSON text that it is. */
export const TEMPLATE_BYTES_MAX = 64 * 1024;

/** The size of what a template makes of an event: what the largest webhook may have, inline. */
export const OUTPUT_BYTES_MAX = 1024 * 1024;

/** A compiled template: JSON text with holes. */
export type Template = readonly TemplatePart[];
export type TemplatePart =
  | string
  /** `value` writes the JSON value; `text` stands inside a JSON string. */
  | { readonly name: string; readonly as: "value" | "text" };

export const PLACEHOLDER_NAME = "[A-Za-z_][A-Za-z0-9_-]{0,63}";
export const WHOLE_PLACEHOLDER = new RegExp(`^<(${PLACEHOLDER_NAME})>$`);

/** A piece of text: what stands there literally, or a placeholder's name. */
type Piece = string | { readonly name: string };

/**
 * Splits text at its placeholders. Backslashes before one are read as a shell reads them: `\<name>` is the literal text
 * `<name>`, `\\<name>` a backslash and then the placeholder. Anything else with a `<` is literal. In JSON text the two
 * backslashes that stand for one are JSON's own escape, so they stay as they are.
 */
export function splitText(text: string, isJsonText = false): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  // From the first backslash of a run only: looked for anew from each one, a long run would take the square of its time.
  for (const found of text.matchAll(new RegExp(`(?<!\\\\)(\\\\*)<(${PLACEHOLDER_NAME})>`, "g"))) {
    const [whole, slashes = "", name = ""] = found;
    const pairs = Math.floor(slashes.length / 2);
    pieces.push(text.slice(end, found.index) + "\\".repeat(isJsonText ? pairs * 2 : pairs));
    pieces.push(slashes.length % 2 === 1 ? `<${name}>` : { name });
    end = found.index + whole.length;
  }
  pieces.push(text.slice(end));
  return pieces.filter((piece) => piece !== "");
}

/** One token of a JSON text template: a string (the last one may lack its end), a placeholder, or what stands between. */
export const TEXT_TOKEN = new RegExp(`"(?:[^"\\\\]|\\\\[^])*"|<${PLACEHOLDER_NAME}>|[^"<]+|"[^]*|<`, "g");

export function joinStrings(parts: readonly TemplatePart[]): Template {
  const joined: TemplatePart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === "string" && typeof last === "string") joined[joined.length - 1] = last + part;
    else joined.push(part);
  }
  return joined;
}

/**
 * Fills a template: JSON text, or null when it grows over OUTPUT_BYTES_MAX. A value that is missing is `null` on its own and
 * empty inside a string; inside a string, a value that is no string stands as its JSON text.
 */
export function fillTemplate(template: Template, valueOf: (name: string) => Json | undefined): string | null {
  const written = new Map<string, string>();
  let output = "";
  for (const part of template) {
    if (typeof part === "string") output += part;
    else {
      const key = `${part.as} ${part.name}`;
      let text = written.get(key);
      if (text === undefined) {
        const value = valueOf(part.name);
        text = part.as === "value" ? JSON.stringify(value ?? null) : escapeText(textOf(value));
        written.set(key, text);
      }
      output += text;
    }
    // A character has at least one byte, so this stops a runaway early; the exact size is taken once at the end.
    if (output.length > OUTPUT_BYTES_MAX) return null;
  }
  return utf8Length(output) > OUTPUT_BYTES_MAX ? null : output;
}

function textOf(value: Json | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Text as it stands inside a JSON string. */
export function escapeText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const UTF8 = new TextEncoder();

export function utf8Length(text: string): number {
  return UTF8.encode(text).length;
}
