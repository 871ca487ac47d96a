/** The rules that the project comes with, their own tests, and docs/cookbook.md, which is about them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findingsOf } from "../../bin/coverage.ts";
import { githubEvent } from "../../bin/event-input.ts";
import { githubExamples } from "../../bin/github-examples.ts";
import { TEST_ACCEPTED_AT, runRuleTests } from "../../bin/rule-tests.ts";
import { createEventResolver, loadExamples } from "../../bin/test-event.ts";
import { findTestFiles } from "../../bin/test-files.ts";
import { checkFolder } from "../../scripts/check-folder.ts";
import { RULES_DIR } from "../../scripts/generate.ts";
import { createPlaces } from "../../scripts/places.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import { eventView } from "../../src/core/event.ts";
import type { JsonObject } from "../../src/core/result.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import { toShipment } from "../../src/core/shipment.ts";
import { codeBlocksOf } from "../docs/code-blocks.ts";

/** A cookbook has at least so many automations of GitHub's events. */
const AUTOMATIONS_MIN = 12;
/** There is no published payload of its event. */
const UNPUBLISHED = "default/secret-leaked";

const registry = await loadRegistry();
const { document, problems } = await checkFolder(RULES_DIR, registry);
const rules = compileRules(document, registry);
const paths = rules.rules.map(({ definition }) => definition.path);
const found = await findTestFiles(RULES_DIR, paths);
const resolveEvent = createEventResolver(RULES_DIR, loadExamples, TEST_ACCEPTED_AT);
const run = await runRuleTests(paths, found.tests, rules, resolveEvent);
const casesOf = (path: string) => run.files.find(({ rule }) => rule === path)?.cases ?? [];
const isGithubs = (path: string): boolean => path !== "default/order-placed";

function matched(event: JsonObject): readonly string[] {
  return rules.match("default", event).map(({ definition }) => definition.path);
}

describe("the sample rules", () => {
  it("have no problems, warnings included: no rule is impossible, and none sends a target what another sends it", () => {
    expect(problems).toEqual([]);
  });

  it("are a cookbook of many automations, all live but one", () => {
    expect(paths.filter(isGithubs).length).toBeGreaterThanOrEqual(AUTOMATIONS_MIN);
    expect(
      rules.rules.filter(({ definition }) => definition.mode !== "live").map(({ definition }) => definition),
    ).toEqual([expect.objectContaining({ path: "default/deploy-command", mode: "shadow" })]);
  });

  it("have cases that all hold", () => {
    expect(found.problems).toEqual([]);
    expect(run.files.flatMap((file) => file.problems)).toEqual([]);
    const cases = run.files.flatMap((file) => file.cases);
    expect(cases.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(cases.length).toBeGreaterThan(3 * AUTOMATIONS_MIN);
  });

  it("have a case for every alternative of every pattern, and one that each rule leaves alone", () => {
    const patternOf = (path: string) => rules.rule(path)?.definition.pattern ?? null;
    const { ofRule } = createPlaces(RULES_DIR, found.rules);
    expect([...findingsOf(run.coverage, patternOf, (rule, path) => ofRule(rule, { path }))]).toEqual([]);
  });

  it.each(paths.filter((path) => isGithubs(path) && path !== UNPUBLISHED))(
    "%s takes a payload that GitHub publishes, and a case says what becomes of it",
    (path) => {
      const hits = casesOf(path).filter(({ test }) => test.match && test.event.kind === "github");
      expect(hits.length).toBeGreaterThan(0);
      if (rules.rule(path)?.transform === undefined) return;
      for (const { test } of casesOf(path)) if (test.match) expect(test.expectation?.kind).toBe("output");
    },
  );

  it("make something of every published payload that they match", async () => {
    const met = new Set<string>();
    for (const { name, examples } of githubExamples()) {
      for (const payload of examples) {
        const event = githubEvent(name, payload, TEST_ACCEPTED_AT);
        const view = eventView(event);
        const parts = { event, view: () => view, deliveryId: "test", attempt: 1, rawHeaders: {}, acceptedAt: 0 };
        for (const path of matched(view)) {
          const rule = rules.rule(path);
          const shipment = rule && (await toShipment(rule, parts));
          expect([path, shipment?.ok]).toEqual([path, true]);
          met.add(path);
        }
      }
    }
    expect(met.size).toBeGreaterThan(5);
  });

  it("match what README's first steps send", () => {
    const push = githubExamples().find(({ name }) => name === "push")?.examples[0] ?? {};
    const view = eventView(githubEvent("push", push, TEST_ACCEPTED_AT));
    expect(matched(view)).toEqual(["default/push"]);
    expect(matched({ ...view, data: { ...push, ref: "refs/heads/main" } })).toEqual([
      "default/deploy-on-main",
      "default/push",
    ]);
    expect(matched({ type: "com.example.order.placed", data: {} })).toEqual(["default/order-placed"]);
  });
});

describe("docs/cookbook.md", () => {
  it("lists every rule once, with its targets", async () => {
    const text = await readFile(join(RULES_DIR, "../docs/cookbook.md"), "utf8");
    const rows = [...text.matchAll(/^\| \[([a-z-]+)\]\(\.\.\/rules\/(\S+)\.yaml\) \|.*$/gm)];
    for (const [row, name, path = ""] of rows) {
      expect(path).toBe(`default/${name}`);
      const targets = rules.rule(path)?.definition.targets ?? [];
      expect(row.split("|")[4]?.trim().replace(", in shadow", "")).toBe(targets.join(", "));
    }
    expect(rows).toHaveLength(paths.length);
    expect(new Set(rows.map(([, , path]) => path))).toEqual(new Set(paths));
  });

  it("names the webhook events that each rule's types come with", async () => {
    const text = await readFile(join(RULES_DIR, "../docs/cookbook.md"), "utf8");
    for (const [, path = "", boxes = ""] of text.matchAll(
      /^\| \[[a-z-]+\]\(\.\.\/rules\/(\S+)\.yaml\) \|[^|]*\|([^|]*)\|/gm,
    )) {
      const types = JSON.stringify(rules.rule(path)?.definition.pattern).matchAll(/com\.github\.([a-z_]+)/g);
      expect([path, boxes.trim()]).toEqual([path, [...new Set([...types].map(([, name]) => name))].join(", ")]);
    }
  });

  it("shows rules and cases as they are in the files", async () => {
    const blocks = (await codeBlocksOf("cookbook.md")).filter(({ language }) => language === "yaml");
    expect(blocks).toHaveLength(6);
    for (const { text } of blocks) {
      const [, file = "", shown = ""] = /^# rules\/(\S+)\n([^]*)$/.exec(text) ?? [];
      const whole = await readFile(join(RULES_DIR, file), "utf8");
      if (file.endsWith(".test.yaml")) expect(whole).toContain(shown);
      else expect(whole.replace(/^#.*\n/, "")).toBe(shown);
    }
  });
});
