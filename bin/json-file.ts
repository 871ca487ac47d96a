/** A file, or JSON text on the command line itself, given as an option: JSON, or YAML where the name says so. */
import { createReadStream } from "node:fs";
import { relative, resolve } from "node:path";
import { decodeUtf8 } from "../src/core/event.ts";
import type { Json, Result } from "../src/core/result.ts";
import { err, isJsonObject, ok } from "../src/core/result.ts";
import type { RuleText } from "../scripts/rule-text.ts";
import type { Failure } from "./failure.ts";

export const INPUT_BYTES_MAX = 16 * 1024 * 1024;

/** The bytes of a file that an option names. A pipe or a device is as good; of one without an end no more is read than shows it. */
export async function readInputFile(option: string, file: string): Promise<Result<Uint8Array, Failure>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of createReadStream(file) as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      if (bytes > INPUT_BYTES_MAX)
        return err({ message: `${option}: ${file} is larger than ${INPUT_BYTES_MAX} bytes` });
      pieces.push(piece);
    }
    return ok(new Uint8Array(Buffer.concat(pieces)));
  } catch (error) {
    return err({
      message: `${option}: ${file} can't be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    });
  }
}

export interface JsonInput {
  readonly text: RuleText;
  readonly value: Json;
  /** The file as people write it; undefined for text on the command line. */
  readonly file: string | undefined;
}

/** Reads `{…}` or `[…]` as JSON text, anything else as the name of a file; `.yaml` and `.yml` are YAML. */
export async function readJsonInput(option: string, given: string): Promise<Result<JsonInput, Failure>> {
  const isText = /^\s*[{[]/.test(given);
  let content = given;
  if (!isText) {
    const bytes = await readInputFile(option, given);
    if (!bytes.ok) return bytes;
    const decoded = decodeUtf8(bytes.value);
    if (decoded === null) return err({ message: `${option}: ${given} is not UTF-8 text` });
    content = decoded;
  }
  const { readRuleText } = await import("../scripts/rule-text.ts");
  const text = readRuleText(content, !/\.ya?ml$/.test(isText ? "" : given));
  const [first] = text.problems;
  const file = isText ? undefined : relative(process.cwd(), resolve(given));
  if (first !== undefined) return err({ message: `${file ?? option}:${first.line}:${first.column}: ${first.message}` });
  return ok({ text, value: text.value ?? null, file });
}

/** The member of a rule file that is wanted, or the whole document when it is none. */
export function ruleMember(
  value: Json,
  name: "pattern" | "transform",
): { readonly value: Json; readonly isRule: boolean } {
  const isRule = isJsonObject(value) && Object.hasOwn(value, "targets") && Object.hasOwn(value, "pattern");
  return { value: isRule ? (value[name] ?? null) : value, isRule };
}
