/** Rules in a folder of their own, checked as every build checks them. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { checkFolder } from "../../scripts/check-folder.ts";
import type { Problem } from "../../scripts/problem.ts";

/** On a bus that only GitHub sends to, and whose targets never answer with an event. */
const ONLY_GITHUB = {
  "sources.yaml": "github: { kind: github, secrets: [SECRET] }\n",
  "targets.yaml": "audit: { queue: AUDIT }\n",
};

/** What is found in the files, each `file:line:column severity code`, with its message. */
export async function checkFiles(
  files: Readonly<Record<string, string>>,
): Promise<readonly (readonly [place: string, message: string])[]> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-analysis-"));
  try {
    for (const [path, text] of Object.entries({ ...ONLY_GITHUB, ...files })) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), text);
    }
    const { problems } = await checkFolder(dir);
    return problems.map((problem) => [placeOf(problem, dir), problem.message]);
  } finally {
    await rm(dir, { recursive: true });
  }
}

function placeOf({ file, line, column, severity, code }: Problem, dir: string): string {
  return `${relative(dir, file)}:${line}:${column} ${severity} ${code ?? "-"}`;
}

/** The findings of one rule whose pattern is given as YAML in braces, with the codes that are asked for. */
export async function findings(
  codes: readonly string[],
  pattern: string,
  { more = "", files = {} }: { readonly more?: string; readonly files?: Readonly<Record<string, string>> } = {},
): Promise<readonly string[]> {
  const found = await checkFiles({
    "default/rule.yaml": `pattern: ${pattern}\ntargets: [audit]\n${more}`,
    ...files,
  });
  return found
    .filter(([place]) => codes.some((code) => place.endsWith(` ${code}`)))
    .map(([place, message]) => `${place.replace(/^\S+:(\d+:\d+) /, "$1 ")}: ${message}`);
}
