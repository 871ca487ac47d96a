/** The files of the matcher's benchmark: one JSON text a line, one or more lines. */
import { readFileSync } from "node:fs";
import { printable } from "../../bin/terminal.ts";
import type { Failure } from "../../bin/failure.ts";
import { parseJson } from "../../src/core/json.ts";
import { parsePatternText } from "../../src/core/pattern.ts";
import type { Result } from "../../src/core/result.ts";
import { err, formatPath, isJsonObject, ok } from "../../src/core/result.ts";

const MISTAKES_SHOWN_MAX = 5;

/** The texts of valid patterns, one a line. */
export function readPatternTexts(file: string): Result<readonly string[], Failure> {
  return readTexts(file, "pattern", (text) => {
    const pattern = parsePatternText(text);
    if (pattern.ok) return [];
    return pattern.error.map(({ path, message }) => (path.length === 0 ? message : `${formatPath(path)}: ${message}`));
  });
}

/** The texts of events, one a line: any JSON object, matched as it stands. */
export function readEventTexts(file: string): Result<readonly string[], Failure> {
  return readTexts(file, "event", (text) => {
    const event = parseJson(text);
    if (event.ok) return isJsonObject(event.value) ? [] : ["expected a JSON object"];
    const { error } = event;
    return [
      error.reason === "invalid-json"
        ? `expected a JSON object: ${error.detail}`
        : `expected at most ${error.depthMax} levels of objects and arrays, found more`,
    ];
  });
}

function readTexts(
  file: string,
  what: string,
  mistakesIn: (text: string) => readonly string[],
): Result<readonly string[], Failure> {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : String(code);
    return err({ message: `can't read ${printable(file)}: ${why}` });
  }
  const texts: string[] = [];
  const mistakes: string[] = [];
  for (const [index, line] of content
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    const text = line.trim();
    if (text === "") continue;
    texts.push(text);
    for (const message of mistakesIn(text)) mistakes.push(`${file}:${index + 1}: ${message}`);
  }
  if (texts.length === 0)
    return err({ message: `${printable(file)} is empty`, hint: `Expected one ${what} a line, as JSON.` });
  if (mistakes.length === 0) return ok(texts);
  const shown = mistakes.slice(0, MISTAKES_SHOWN_MAX);
  const more = mistakes.length - shown.length;
  const lines = [...shown, ...(more === 0 ? [] : [`and ${more} more`])].map(printable).join("\n");
  return err({ message: lines, hint: `Expected one ${what} a line, as JSON.` });
}
