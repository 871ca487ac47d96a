/** Tables for people: columns as wide as what stands in them, the last ones cut where the line would end. */
import type { Terminal } from "./terminal.ts";
import { printable } from "./terminal.ts";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** May be cut to this many characters when the line is too long; a column without it never is. */
  readonly charsMin?: number;
}

const GAP = "  ";

/** The lines of a table, its titles first. Values are made safe for a terminal. */
export function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width, paint }: Pick<Terminal, "width" | "paint">,
): readonly string[] {
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(lengthOf(title), ...cells.map((line) => lengthOf(line[index] ?? ""))),
  );
  fit(widths, columns, width);
  const lineOf = (line: readonly string[]): string =>
    line
      .map((text, index) => padded(text, widths[index] ?? 0))
      .join(GAP)
      .trimEnd();
  return [paint("bold", lineOf(columns.map(({ title }) => title))), ...cells.map(lineOf)];
}

/** Takes what is too much from the columns that allow it, the last one first. */
function fit<Row>(widths: number[], columns: readonly Column<Row>[], width: number): void {
  const whole = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  let excess = whole - width;
  for (const [index, { charsMin }] of [...columns.entries()].toReversed()) {
    if (excess <= 0) return;
    const own = widths[index] ?? 0;
    const taken = charsMin === undefined ? 0 : Math.max(0, Math.min(excess, own - charsMin));
    widths[index] = own - taken;
    excess -= taken;
  }
}

function padded(text: string, width: number): string {
  const length = lengthOf(text);
  if (length > width) return `${[...text].slice(0, Math.max(0, width - 1)).join("")}…`;
  return text + " ".repeat(width - length);
}

function lengthOf(text: string): number {
  return [...text].length;
}
