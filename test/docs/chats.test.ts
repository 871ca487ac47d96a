/** The section on chats and APIs in docs/targets.md: each entry and rule is right, and makes the message that is shown. */
import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readRules } from "../../scripts/rule-files.ts";
import { eventView } from "../../src/core/event.ts";
import { readStructured } from "../../src/core/json-format.ts";
import type { Json } from "../../src/core/result.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import { toShipment } from "../../src/core/shipment.ts";
import { sources, targets } from "../support/kinds.ts";
import { VENDORS } from "../support/vendors.ts";

const page = await readFile(join(import.meta.dirname, "../../docs/targets.md"), "utf8");
const section = /^## Chats and APIs\n([^]*?)(?=^## |$(?![^]))/m.exec(page)?.[1] ?? "";
const blocks = [...section.matchAll(/^```(\S.*)\n([^]*?)^```$/gm)].map(([, language = "", text = ""]) => ({
  language,
  text,
}));

const event = readStructured(blocks.find(({ language }) => language === "json event")?.text ?? "");
const shown = blocks
  .filter(({ language }) => /^json (?!event$)/.test(language))
  .map(({ language, text }) => ({ name: language.slice("json ".length), text }));

const dir = await mkdtemp(join(tmpdir(), "sluice-docs-"));
afterAll(() => rm(dir, { recursive: true }));

const files = new Map([["rules/sources.yaml", "github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }\n"]]);
for (const { language, text } of blocks) {
  const file = /^# (rules\/\S+)/.exec(text)?.[1];
  if (language === "yaml" && file !== undefined) files.set(file, (files.get(file) ?? "") + text);
}
for (const [file, text] of files) {
  await mkdir(dirname(join(dir, file)), { recursive: true });
  await writeFile(join(dir, file), text);
}
const { document, problems } = await readRules(join(dir, "rules"));
const ruleSet = compileRules(document, { sources, targets });

describe("docs/targets.md on chats and APIs", () => {
  it("has a section, an entry, a rule and a message for each of them, all of them right", () => {
    expect(problems).toEqual([]);
    const kinds = Object.keys(VENDORS).toSorted();
    const headings = [...section.matchAll(/^### (\S+)$/gm)].map(([, kind = ""]) => kind);
    expect(headings.toSorted()).toEqual(kinds);
    expect(document.targets.map(({ kind }) => kind).toSorted()).toEqual(kinds);
    expect(document.rules.flatMap((rule) => rule.targets).toSorted()).toEqual(shown.map(({ name }) => name).toSorted());
  });

  it("names every key that the kinds have", () => {
    const missing = Object.keys(VENDORS).flatMap((kind) => {
      const own = new RegExp(`^### ${kind}\\n([^]*?)(?=^### |$(?![^]))`, "m").exec(section)?.[1] ?? "";
      const keys = Object.keys((targets[kind]?.schema["properties"] ?? {}) as object);
      expect(keys).toContain(kind);
      return keys.filter((key) => key !== "local" && !own.includes(`\`${key}\``)).map((key) => `${kind}: ${key}`);
    });
    expect(missing).toEqual([]);
  });

  it.each(shown)("shows what $name gets", async ({ name, text }) => {
    if (!event.ok) throw new Error(JSON.stringify(event.error));
    const rule = ruleSet.rules.find((each) => each.definition.targets.includes(name));
    const target = ruleSet.target(name);
    if (rule === undefined || target === undefined) throw new Error(`there is no rule for ${name}`);
    const parts = {
      event: event.value,
      view: () => eventView(event.value),
      deliveryId: "d",
      attempt: 1,
      rawHeaders: {},
      acceptedAt: 0,
    };
    const shipment = await toShipment(rule, parts);
    if (!shipment.ok) throw new Error(shipment.error.detail);
    const preview = target.target.preview(shipment.value, target.config, { local: undefined });
    expect(preview.problem).toBeUndefined();
    expect(JSON.parse(new TextDecoder().decode(preview.body ?? undefined)) as Json).toEqual(JSON.parse(text) as Json);
  });
});
