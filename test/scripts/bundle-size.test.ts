import { describe, expect, it } from "vitest";
import { measureBundle, sizeLine, sizeProblem } from "../../scripts/bundle-size.ts";
import { BUNDLE_GZIP_BYTES_MAX, main } from "../../scripts/check-size.ts";
import { everythingOn } from "../../scripts/everything-on.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import type { WorkerBundle } from "../../scripts/worker-bundle.ts";
import { buildWorker } from "../../scripts/worker-bundle.ts";

const registry = await loadRegistry();
const everything = await buildWorker(everythingOn(registry, { jsonata: true }), { minify: true });
const files = Object.keys(everything.report.inputs);

function bundle(text: string, inputs: Readonly<Record<string, number>>): WorkerBundle {
  const parts = Object.entries(inputs).map(([file, bytesInOutput]) => [file, { bytesInOutput }] as const);
  return { text, report: { bytes: text.length, inputs: Object.fromEntries(parts), imports: [], exports: [] } };
}

describe("the size of a bundle", () => {
  const size = measureBundle(
    "all",
    bundle("x".repeat(9_000), {
      "src/core/a.ts": 3_000,
      "src/core/b.ts": 1_500,
      "src/index.ts": 100,
      "node_modules/hono/dist/x.js": 400,
      "node_modules/@scope/name/x.js": 50,
    }),
  );

  it("counts by folder of src and by package, and gzipped as it is uploaded", () => {
    expect(size.parts).toEqual({ "src/core": 4_500, "src/index.ts": 100, hono: 400, "@scope/name": 50 });
    expect(size.bytes).toBe(9_000);
    expect(size.gzipBytes).toBeLessThan(100);
    expect(sizeLine({ ...size, gzipBytes: 1_234 })).toBe(
      "all: 1.2 KB gzipped, 9.0 KB minified: src/core 4.5, hono 0.4, src/index.ts 0.1, @scope/name 0.1",
    );
  });

  it("is no problem up to the budget, and beyond it says what has grown and what to do", () => {
    expect(sizeProblem({ ...size, gzipBytes: 500 }, 500, {})).toBeUndefined();
    const problem = sizeProblem({ ...size, gzipBytes: 501 }, 500, { "src/core": 3_500, hono: 399, gone: 9_000 });
    expect(problem).toContain("all has 501 bytes gzipped, 1 over the budget of 500 (BUNDLE_GZIP_BYTES_MAX).");
    expect(problem).toContain("Grown, minified, since it was recorded: src/core by 1.0 KB.");
    expect(problem).toContain("#entry/");
  });
});

describe("the check of the size", () => {
  it("passes BUNDLE_GZIP_BYTES_MAX, and fails over a budget that is planted", async () => {
    expect(BUNDLE_GZIP_BYTES_MAX).toBe(120_000);
    const lines: string[] = [];
    expect(await main([], (line) => lines.push(line))).toBe(0);
    expect(lines).toHaveLength(3);
    expect(await main([], (line) => lines.push(line), 50_000)).toBe(1);
    expect(lines.at(-1)).toMatch(
      /^every kind of source and target has \d+ bytes gzipped, \d+ over the budget of 50000/,
    );
  });

  it("prints JSON, and refuses options that it doesn't know", async () => {
    const lines: string[] = [];
    expect(await main(["--json"], (line) => lines.push(line))).toBe(0);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ gzipBytesMax: BUNDLE_GZIP_BYTES_MAX, sizes: [{}, {}, {}] });
    expect(await main(["--jason"], () => {})).toBe(2);
  });
});

describe("a Worker with everything on", () => {
  it("has every kind of source and target", () => {
    for (const kind of Object.keys(registry.sources)) expect(files).toContain(`src/sources/${kind}.ts`);
    for (const kind of Object.keys(registry.targets)) expect(files).toContain(`src/targets/${kind}.ts`);
    expect(files).toContain("node_modules/jsonata/jsonata.js");
  });

  it("has nothing that reads entries of the rule files", () => {
    expect(files).toContain("src/core/no-entry.ts");
    expect(files.filter((file) => /-entry\.ts$|_hmac-(?:places|description)|_http-keys/.test(file))).toEqual([
      "src/core/no-entry.ts",
    ]);
    expect(everything.text).not.toContain('did you mean "secrets"');
    expect(everything.text).not.toContain("Who may send:");
  });
});

describe("a Worker with the rules of somebody", () => {
  it("has only the kinds that they use, and no JSONata where they have no expression", async () => {
    const one = { version: "v", sources: [], targets: [], rules: [] };
    const { report } = await buildWorker(
      {
        ...one,
        sources: [{ name: "hub", kind: "github", bus: "default", entry: { secrets: ["A"] } }],
      },
      { minify: true },
    );
    const kinds = Object.keys(report.inputs).filter((file) => /^src\/(?:sources|targets)\/[^_]/.test(file));
    expect(kinds).toEqual(["src/sources/github.ts"]);
    expect(Object.keys(report.inputs).filter((file) => file.includes("jsonata/"))).toEqual([]);
  });
});
