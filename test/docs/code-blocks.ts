/** The code blocks of a page in `docs/`, in order. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

export interface CodeBlock {
  /** What stands behind the opening fence: `yaml`, `json event`. */
  readonly language: string;
  readonly text: string;
}

export async function codeBlocksOf(page: string): Promise<readonly CodeBlock[]> {
  const text = await readFile(join(import.meta.dirname, "../../docs", page), "utf8");
  return [...text.matchAll(/^```(\S.*)\n([^]*?)^```$/gm)].map(([, language = "", code = ""]) => ({
    language,
    text: code,
  }));
}
