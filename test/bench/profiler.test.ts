import { expect, it } from "vitest";
import type { RawProfile } from "./profiler.ts";
import { readProfile } from "./profiler.ts";

const SCRIPT = [
  "// src/core/a.ts",
  "function one() {}",
  "// src/core/b.ts",
  "function two() {}",
  "// a comment of code",
].join("\n");

const frame = (functionName: string, lineNumber: number, url = "worker.mjs") => ({ functionName, lineNumber, url });

it("tells a profile's own time by function and by the file that the bundle took it from", () => {
  const raw: RawProfile = {
    startTime: 1_000_000,
    endTime: 3_000_000,
    nodes: [
      { id: 1, callFrame: frame("(root)", -1, "") },
      { id: 2, callFrame: frame("one", 1) },
      { id: 3, callFrame: frame("two", 3) },
      { id: 4, callFrame: frame("one", 1) },
      { id: 5, callFrame: frame("(idle)", -1, "") },
    ],
    samples: [2, 3, 4, 5],
    timeDeltas: [100, 300, 200, 400],
  };
  const { seconds, functions, files } = readProfile(raw, SCRIPT);
  expect(seconds).toBe(2);
  expect(functions).toEqual([
    { name: "(idle)", file: "runtime", self: 0.4 },
    { name: "one", file: "src/core/a.ts", self: expect.closeTo(0.3) },
    { name: "two", file: "src/core/b.ts", self: 0.3 },
  ]);
  expect(files.map(({ file }) => file)).toEqual(["runtime", "src/core/a.ts", "src/core/b.ts"]);
});
