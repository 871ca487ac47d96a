/**
 * The line of a file that a problem is about, with a caret below its place. What may be a secret is not shown: whoever pastes
 * one into a file by mistake does not want it in the log of a build, too.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Problem } from "./problem.ts";

/** Cells of a terminal that the line itself takes at most; longer ones are cut around the place. */
export const EXCERPT_CELLS_MAX = 100;
/** Larger files are refused by the reader of rules as well. */
const FILE_BYTES_MAX = 1024 * 1024;
const TAB_CELLS = 2;

export interface Excerpt {
  /** `  3 | ` */
  readonly gutter: string;
  readonly line: string;
  /** What stands before the caret in the line below, of the gutter's and the line's width. */
  readonly indent: string;
}

/** The excerpt as text, without colours. */
export function formatExcerpt({ gutter, line, indent }: Excerpt): string {
  return `${gutter}${line}\n${indent}^`;
}

/** Reads the files of problems, the last one kept. Undefined when the problem is about no line that is there. */
export function createExcerpts(): (problem: Problem) => Excerpt | undefined {
  let last: { readonly file: string; readonly lines: readonly string[] } | undefined;
  return (problem) => {
    if (problem.isWholeFile === true) return undefined;
    if (last?.file !== problem.file) last = { file: problem.file, lines: readLines(problem.file) };
    const line = last.lines[problem.line - 1];
    if (line === undefined || line.trim() === "") return undefined;
    const isStrict = /^(?:sources|targets)\.yaml$/.test(basename(problem.file)) || /secret/.test(problem.code ?? "");
    return excerptOf(line, problem, isStrict);
  };
}

function readLines(file: string): readonly string[] {
  try {
    const bytes = readFileSync(file);
    // The reader of YAML counts these as ends of lines, and no others.
    return bytes.length > FILE_BYTES_MAX
      ? []
      : bytes
          .toString("utf8")
          .replace(/^\uFEFF/, "")
          .split(/\r\n|\n/);
  } catch {
    // The problem is that it can't be read.
    return [];
  }
}

/** One line, the place counted from 1. `isStrict`: only what is surely no secret is shown. */
export function excerptOf(
  text: string,
  at: { readonly line: number; readonly column: number },
  isStrict: boolean,
): Excerpt {
  const { cells, place } = toCells(maskSecrets(text, isStrict), at.column - 1);
  const width = (from: number, to: number) => cells.slice(from, to).reduce((sum, cell) => sum + widthOf(cell), 0);
  let [from, to] = [0, cells.length];
  if (width(0, to) > EXCERPT_CELLS_MAX) {
    const half = Math.floor((EXCERPT_CELLS_MAX - 2) / 2);
    while (width(from, place) > half) from++;
    while (to > place + 1 && width(from, to) > EXCERPT_CELLS_MAX - 2) to--;
  }
  const before = from > 0 ? "…" : "";
  const gutter = `${String(at.line).padStart(5)} | `;
  const indent = `${" ".repeat(gutter.length - 2)}| ${" ".repeat(before.length + width(from, place))}`;
  return { gutter, line: before + cells.slice(from, to).join("") + (to < cells.length ? "…" : ""), indent };
}

interface Piece {
  readonly text: string;
  /** Of the line as it was, where the text stands for something else. */
  readonly length: number;
}

/** What terminals show one after the other, and how many of it come before an offset into the line. */
function toCells(
  pieces: readonly Piece[],
  offset: number,
): { readonly cells: readonly string[]; readonly place: number } {
  const cells: string[] = [];
  let at = 0;
  let place: number | undefined;
  for (const { text, length } of pieces) {
    const isMask = text.length !== length;
    for (const character of text) {
      if (place === undefined && at >= offset) place = cells.length;
      cells.push(printed(character));
      if (!isMask) at += character.length;
    }
    if (isMask) {
      if (place === undefined && at + length > offset) place = Math.max(0, cells.length - text.length);
      at += length;
    }
  }
  return { cells, place: place ?? cells.length };
}

/** Neither steers the terminal nor turns the direction of writing. */
function printed(character: string): string {
  if (character === "\t") return " ".repeat(TAB_CELLS);
  return /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u.test(character)
    ? " "
    : character;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{10000}-\u{10ffff}]/u;

function widthOf(cell: string): number {
  if (/^(?:\p{M}|\u200b|\u200c|\u200d)/u.test(cell)) return 0;
  return WIDE.test(cell) ? 2 : cell.length;
}

const MASK = "…";
const TOKEN = /[^\s,{}[\]"']+/g;
/** Keys behind which names of secrets stand, up to the next plain one. */
const SECRET_KEY = /(?:secret|token|password|bearer|basic|auth|sign|key|header)[\w-]*:$/i;
const PLAIN_KEY =
  /^(?:kind|bus|replays|http|queue|local|format|compress|timeout|retry|max-age|rate|limit|burst|concurrency):$/;
/** Forms in which secrets are given out, and what looks like one: long, without a pause, digits among letters. */
const SECRET_FORM =
  /gh[opusr]_|github_pat_|wh(?:sec|sk)_|xox[a-z]-|sk[-_](?:live|test)|AKIA|eyJ|glpat-|(?=[A-Za-z0-9+/_=-]*\d)(?=[A-Za-z0-9+/_=-]*[A-Za-z])[A-Za-z0-9+/_=-]{32,}/;

function maskSecrets(text: string, isStrict: boolean): readonly Piece[] {
  const pieces: Piece[] = [];
  // The item of a list, or a value on a line of its own, may belong to any key above.
  let isInSecrets = /^\s*-\s/.test(text) || !text.includes(":");
  const comment = isStrict ? (/(?<=\s)#/.exec(text)?.index ?? text.length) : text.length;
  let at = 0;
  for (const match of text.slice(0, comment).matchAll(TOKEN)) {
    const [token] = match;
    if (SECRET_KEY.test(token)) isInSecrets = true;
    else if (PLAIN_KEY.test(token)) isInSecrets = false;
    const shown = isStrict ? shownStrictly(token, isInSecrets) : SECRET_FORM.test(token) ? MASK : token;
    pieces.push(plain(text.slice(at, match.index)), { text: shown, length: token.length });
    at = match.index + token.length;
  }
  pieces.push(plain(text.slice(at, comment)));
  return comment === text.length ? pieces : [...pieces, { text: `# ${MASK}`, length: text.length - comment }];
}

function shownStrictly(token: string, isInSecrets: boolean): string {
  if (/^[A-Z][A-Z0-9_]{0,63}$/.test(token) && (token.includes("_") || !/\d/.test(token))) return token;
  if (/^[A-Za-z][\w-]{0,40}:$/.test(token) || /^[^A-Za-z0-9]+$/.test(token)) return token;
  const host = /^https?:\/\/([A-Za-z0-9.-]+(?::\d+)?)(\/?$|\/|\?)/.exec(token);
  if (host !== null)
    return host[2] === "" || token.endsWith(`${host[1]}/`) ? token : `${token.slice(0, host[0].length)}${MASK}`;
  if (isInSecrets) return MASK;
  return /^(?:[a-z]+(?:-[a-z]+)*|[a-z]{1,12}:\/\/[a-z0-9.-]+|\d{1,7}(?:\.\d+)?(?:ms|s|m|min|h|d)?(?:\/[a-z]+)?)$/.test(
    token,
  ) && token.length <= 40
    ? token
    : MASK;
}

function plain(text: string): Piece {
  return { text, length: text.length };
}
