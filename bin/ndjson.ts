/** Lines of JSON from standard input to standard output: one line out for each line in, in order, in bounded memory. */
import { once } from "node:events";
import type { Terminal } from "./terminal.ts";

/** A line may have this many bytes; a longer one is answered as wrong, and what follows it goes on. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024;
/** Answers are gathered up to about this size before they are written. */
const WRITE_CHARS = 256 * 1024;

const LINE_FEED = 0x0a;

export type Line = { readonly text: string } | { readonly wrong: string };

/** Answers every line of the input. Ends early when nobody reads the output any more. */
export async function answerLines(
  { stdin, stdout }: Pick<Terminal, "stdin" | "stdout">,
  answer: (text: string) => string | Promise<string>,
  refuse: (message: string) => string,
  lineBytesMax: number = LINE_BYTES_MAX,
): Promise<void> {
  let pending = "";
  const flush = async (): Promise<boolean> => {
    const text = pending;
    pending = "";
    return text === "" || (await write(stdout, text));
  };
  for await (const lines of readLines(stdin, lineBytesMax)) {
    for (const line of lines) {
      pending += `${"text" in line ? await answer(line.text) : refuse(line.wrong)}\n`;
      if (pending.length >= WRITE_CHARS && !(await flush())) return;
    }
    if (!(await flush())) return;
  }
}

/** False once the output is closed. */
async function write(stdout: Terminal["stdout"], text: string): Promise<boolean> {
  if (stdout.destroyed) return false;
  if (stdout.write(text)) return true;
  await Promise.race([once(stdout, "drain"), once(stdout, "close")]).catch(() => {});
  return !stdout.destroyed;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The lines that each piece of input completes. The last one needs no line feed. */
export async function* readLines(
  input: AsyncIterable<Uint8Array>,
  lineBytesMax: number = LINE_BYTES_MAX,
): AsyncGenerator<readonly Line[]> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  const keep = (piece: Uint8Array): void => {
    bytes += piece.length;
    // Beyond the limit only the length is kept, until the line ends.
    if (bytes > lineBytesMax) pieces = [];
    else pieces.push(piece);
  };
  const complete = (): Line => {
    const line: Line =
      bytes > lineBytesMax ? { wrong: `the line is longer than ${lineBytesMax} bytes` } : decode(Buffer.concat(pieces));
    pieces = [];
    bytes = 0;
    return line;
  };
  for await (const chunk of input) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, end));
      lines.push(complete());
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
    yield lines;
  }
  if (bytes > 0) yield [complete()];
}

function decode(bytes: Uint8Array): Line {
  try {
    return { text: UTF8.decode(bytes) };
  } catch {
    return { wrong: "the line is not UTF-8" };
  }
}
