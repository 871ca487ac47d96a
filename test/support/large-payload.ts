/** A GitHub push that is as large as it should be: many commits, and a message that fills up what is missing. */
import { githubExamples } from "./github-examples.ts";

export interface LargePush {
  readonly bytes: number;
  readonly ref?: string;
  readonly author?: string;
  readonly repositoryId?: number;
}

export function largePush({ bytes, ref = "refs/heads/main", author = "Mona", repositoryId = 1 }: LargePush): Buffer {
  const example = githubExamples().find(({ event }) => event === "push");
  const payload = JSON.parse(example?.body ?? "{}") as Readonly<Record<string, unknown>>;
  const repository = { ...(payload["repository"] as object), id: repositoryId };
  const person = { name: author, email: "mona@example.com", username: "mona" };
  const commitOf = (n: number, message: string) => ({
    id: n.toString(16).padStart(40, "0"),
    tree_id: "b".repeat(40),
    message,
    timestamp: "2026-01-01T00:00:00Z",
    author: person,
    committer: person,
    added: Array.from({ length: 300 }, (_, file) => `src/größe/${String(n).padStart(6, "0")}/file-${file}.ts`),
    removed: [],
    modified: [],
  });
  const write = (commits: readonly object[]) =>
    Buffer.from(JSON.stringify({ ...payload, ref, repository, commits }), "utf8");
  const commits: object[] = [];
  const each = write([commitOf(0, "fix")]).length - write([]).length + 4;
  const room = bytes - write([]).length - each;
  for (let n = 0; n < Math.floor(room / each) - 1; n++) commits.push(commitOf(n, "fix"));
  const filled = write([...commits, commitOf(1, "")]);
  const missing = bytes - filled.length;
  if (missing < 0) throw new Error(`a push has at least ${filled.length} bytes`);
  return write([...commits, commitOf(1, "x".repeat(missing))]);
}
