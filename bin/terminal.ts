/** Where a command reads and writes: answers on standard output, everything said about them on standard error. */
import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";
import type { ExitCode, Failure } from "./failure.ts";
import { EXIT_FAILURE, EXIT_USAGE } from "./failure.ts";
import type { Environment } from "./local/dev-vars.ts";

/** Tables take no more than this, however wide the terminal is, and this where there is none. */
export const WIDTH_MAX = 160;
const WIDTH_MIN = 60;

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export interface Terminal {
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
  /** Writes a line to standard error. */
  readonly say: (line: string) => void;
  /** Shows how far a long piece of work is, on standard error if that is a terminal; null takes it away again. */
  readonly progress: (line: string | null) => void;
  /** Says what went wrong and answers the exit code. */
  readonly fail: (failure: Failure) => ExitCode;
  /** Colours text for standard output. */
  readonly paint: (style: Style, text: string) => string;
  /** Colours text for standard error. */
  readonly tint: (style: Style, text: string) => string;
  /** Characters in a line. */
  readonly width: number;
  readonly stdin: Readable;
  /** True when a person would have to type the input. */
  readonly stdinIsTerminal: boolean;
  readonly stdout: Writable;
  /** True when a person sees what is printed. */
  readonly stdoutIsTerminal: boolean;
  readonly env: Environment;
  readonly cwd: string;
}

type Stream = NodeJS.WriteStream & { readonly isTTY?: boolean };

export function createTerminal(process: NodeJS.Process): Terminal {
  const { stdout, stderr, stdin, env } = process;
  const painter = (stream: Stream) => {
    const hasColours = stream.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
    return (style: Style, text: string) => (hasColours ? styleText(style, text, { validateStream: false }) : text);
  };
  const tint = painter(stderr);
  const say = (line: string) => void stderr.write(`${line}\n`);
  return {
    print: (line) => void stdout.write(`${line}\n`),
    say,
    progress: (line) => {
      // Back to the line's beginning, and what stood there erased (ECMA-48: CR, EL).
      if (stderr.isTTY) stderr.write(`\r\u001b[K${line ?? ""}`);
    },
    fail: ({ message, hint, isUsage }) => {
      say(`${tint("red", "error:")} ${message}`);
      if (hint !== undefined) say(hint);
      return isUsage === true ? EXIT_USAGE : EXIT_FAILURE;
    },
    paint: painter(stdout),
    tint,
    // A terminal that doesn't know its size says 0.
    width: stdout.isTTY && stdout.columns > 0 ? Math.max(WIDTH_MIN, Math.min(stdout.columns, WIDTH_MAX)) : WIDTH_MAX,
    stdin,
    stdinIsTerminal: stdin.isTTY === true,
    stdout,
    stdoutIsTerminal: stdout.isTTY === true,
    env,
    cwd: process.cwd(),
  };
}

/** Keeps text that came from elsewhere from steering the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
