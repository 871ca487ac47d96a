import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { RULES_DIR } from "../../scripts/generate.ts";
import { loadRegistry } from "../../scripts/registry.ts";
import { readRules } from "../../scripts/rule-files.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { compileRules } from "../../src/core/rule-set.ts";
import { applyTransform } from "../../src/core/transform.ts";

interface Example {
  readonly name: string;
  readonly examples: readonly JsonObject[];
}
const published = createRequire(import.meta.url)("@octokit/webhooks-examples") as readonly Example[];

const registry = await loadRegistry();
const { document, problems } = await readRules(RULES_DIR, registry);
const rules = compileRules(document, registry);

function view(event: string, payload: JsonObject): JsonObject {
  const action = payload["action"];
  return { type: typeof action === "string" ? `com.github.${event}.${action}` : `com.github.${event}`, data: payload };
}

function examplesOf(name: string): readonly JsonObject[] {
  return published.find((example) => example.name === name)?.examples ?? [];
}

function matched(event: JsonObject): readonly string[] {
  return rules.match("default", event).map(({ definition }) => definition.path);
}

function sent(path: string, event: JsonObject): Json | undefined {
  const transform = rules.rule(path)?.transform;
  const result = transform && applyTransform(transform, event);
  return result?.ok ? (JSON.parse(result.value) as Json) : undefined;
}

describe("the sample rules", () => {
  it("have no problems, warnings included", () => expect(problems).toEqual([]));

  it("match every published push", () => {
    const pushes = examplesOf("push");
    expect(pushes.length).toBeGreaterThan(3);
    for (const push of pushes) expect(matched(view("push", push))).toContain("default/push");
  });

  it("tell of a push to main", () => {
    const [push] = examplesOf("push").filter(({ ref }) => ref === "refs/heads/master");
    const event = view("push", { ...push, ref: "refs/heads/main" });
    expect(matched(event)).toEqual(["default/deploy-on-main", "default/push"]);
    expect(sent("default/deploy-on-main", event)).toEqual({
      text: `Codertocat/Hello-World is at ${String(push?.["after"])}`,
      commit: push?.["after"],
    });
  });

  it("match pull requests that were opened and no others", () => {
    const examples = examplesOf("pull_request");
    const opened = examples.filter((payload) =>
      matched(view("pull_request", payload)).includes("default/pull-request-opened"),
    );
    expect(opened).toEqual(examples.filter(({ action }) => action === "opened"));
    expect(opened.length).toBeGreaterThan(0);
  });

  it("send the title of an issue", () => {
    const issue = examplesOf("issues").find(({ action }) => action === "labeled") as JsonObject;
    expect(matched(view("issues", issue))).toEqual(["default/issue-title"]);
    expect(sent("default/issue-title", view("issues", issue))).toBe((issue["issue"] as JsonObject)["title"]);
  });

  it("match an order that came through /events", () => {
    expect(matched({ type: "com.example.order.placed", data: {} })).toEqual(["default/order-placed"]);
  });
});
