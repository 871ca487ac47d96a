import { describe, expect, it } from "vitest";
import { loadRegistry } from "../../scripts/registry.ts";
import { renderSourceDocs } from "../../scripts/source-docs.ts";
import { firstEvent, handshakes, identityOf, readVectors } from "../../scripts/source-vectors.ts";

const MARKS = ["table of vendors", "vendors"].flatMap((name) => [
  `<!-- ${name}: written by npm run generate -->`,
  `<!-- end of ${name} -->`,
]);
const registry = await loadRegistry();

async function identity(kind: "xero" | "circleci" | "hookdeck" | "webflow" | "dropbox"): Promise<string> {
  const [source, vectors] = [registry.sources[kind], await readVectors(kind)];
  if (source === undefined || vectors === undefined) throw new Error(`${kind} has no vectors`);
  const event = firstEvent(source, vectors);
  if (event === undefined) throw new Error(`the first request of ${kind} is accepted`);
  return identityOf(event, vectors);
}

describe("the generated parts of the page on sources", () => {
  it("stand between their marks, whatever stood there before, and nothing else changes", async () => {
    const page = ["# Head", MARKS[0], "old", MARKS[1], "between", MARKS[2], MARKS[3], "foot", ""].join("\n");
    const text = await renderSourceDocs(page, registry);
    expect(text).not.toContain("old\n");
    expect(text.split("\n")[0]).toBe("# Head");
    expect(text).toContain(`${MARKS[1]}\nbetween\n${MARKS[2]}\n`);
    expect(text.endsWith(`${MARKS[3]}\nfoot\n`)).toBe(true);
    expect(text).toContain("| [`xero`](#xero) | [Xero](https://developer.xero.com/");
    expect(await renderSourceDocs(text, registry)).toBe(text);
  });

  it("need their marks", async () => {
    await expect(renderSourceDocs("# Head\n", registry)).rejects.toThrow("table of vendors");
    const swapped = [MARKS[1], MARKS[0], MARKS[2], MARKS[3]].join("\n");
    await expect(renderSourceDocs(swapped, registry)).rejects.toThrow("expected the lines");
  });

  it("have a row and a section only for vendors", async () => {
    const { github, xero } = registry.sources;
    if (github === undefined || xero === undefined) throw new Error("both are kinds");
    const text = await renderSourceDocs(MARKS.join("\n"), { ...registry, sources: { github, xero } });
    expect([...text.matchAll(/^### (.*)$/gm)].map(([, kind]) => kind)).toEqual(["xero"]);
    expect(text).not.toContain("`github`");
  });
});

describe("what recorded requests show", () => {
  it("is where an id comes from", async () => {
    expect(await identity("xero")).toBe("a hash of the payload");
    expect(await identity("circleci")).toBe("`id`");
    expect(await identity("hookdeck")).toBe("the header `x-hookdeck-eventid`; not signed, so `replays` is looked at");
    expect(await identity("webflow")).toBe("a hash of the payload and the header `x-webflow-timestamp`");
    expect(await identity("dropbox")).toMatch(/^a hash of the payload and the time of arrival/);
  });

  it("is how handshakes are answered", async () => {
    const of = async (kind: string) => handshakes((await readVectors(kind)) ?? { ...EMPTY });
    expect(await of("dropbox")).toEqual(["GET → 200"]);
    expect(await of("intercom")).toEqual(["HEAD → 200"]);
    expect(await of("cursor")).toEqual([]);
  });

  it("is nothing for a kind without any", async () => expect(await readVectors("github")).toBeUndefined());
});

const EMPTY = { from: "", vectors: "scheme", entry: {}, secrets: {}, cases: [] } as const;
