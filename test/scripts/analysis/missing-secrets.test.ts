import { describe, expect, it } from "vitest";
import { missingSecrets, secretNames } from "../../../scripts/analysis/missing-secrets.ts";
import { loadRegistry } from "../../../scripts/registry.ts";
import type { JsonObject } from "../../../src/core/result.ts";
import { compileRules } from "../../../src/core/rule-set.ts";
import { inputOf } from "../../support/rules-input.ts";

const registry = await loadRegistry();

function documentOf(sources: Readonly<Record<string, JsonObject>>, targets: Readonly<Record<string, JsonObject>>) {
  const { document } = inputOf({ rules: {}, targets });
  const named = Object.entries(sources).map(([name, { kind, ...entry }]) => ({
    name,
    kind: String(kind),
    bus: "default",
    entry,
  }));
  return { ...document, sources: named };
}

const DOCUMENT = documentOf(
  {
    github: { kind: "github", secrets: ["GITHUB_NEW", "GITHUB_OLD"] },
    events: { kind: "cloudevents", auth: { bearer: ["TOKEN"] } },
    open: { kind: "github", auth: "none" },
  },
  {
    ci: {
      http: "https://ci.acme.dev",
      headers: { Authorization: { secret: "TOKEN" } },
      sign: "SIGNING",
    },
    ops: { http: "https://ops.acme.dev" },
  },
);
const RULE_SET = compileRules(DOCUMENT, registry);

function found(...known: readonly string[]) {
  return missingSecrets(DOCUMENT, RULE_SET, new Set(known), inputOf({ rules: {} }).places);
}

describe("missing secrets", () => {
  it("are looked for by each name, once", () => {
    expect(secretNames(RULE_SET)).toEqual(["GITHUB_NEW", "GITHUB_OLD", "TOKEN", "SIGNING"]);
  });

  it("are warnings where they are named first", () => {
    expect(found().map(({ file, severity, code }) => [file, severity, code])).toEqual([
      ["source github: secrets[0]", "warning", "missing-secret"],
      ["source github: secrets[1]", "warning", "missing-secret"],
      ["source events: auth.bearer[0]", "warning", "missing-secret"],
      ["target ci: sign", "warning", "missing-secret"],
    ]);
    expect(found("GITHUB_OLD", "TOKEN", "SIGNING").map(({ message }) => message)).toEqual([
      "the secret GITHUB_NEW of the source github is set neither in the environment nor in .dev.vars, where npm start would make one up",
    ]);
  });

  it("are none when all are known", () => {
    expect(found(...secretNames(RULE_SET))).toEqual([]);
  });
});
