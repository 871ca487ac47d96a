/** Rules that use all that the Worker can do: every kind of source and target, and every kind of transform. */
import type { Json, JsonObject } from "../src/core/result.ts";
import type { AnySource, AnyTarget, Registry } from "../src/core/rule-set.ts";
import type { RuleDefinition, RulesDocument } from "../src/core/rule.ts";

/** Entries that a kind may be content with, shortest first; the kind's own key is added to a target's. */
const SOURCE_ENTRIES: readonly JsonObject[] = [
  { secrets: ["SECRET"] },
  { secrets: ["SECRET"], header: "X-Signature" },
  { auth: { bearer: ["SECRET"] } },
  { secrets: ["SECRET"], "verify-token": "TOKEN" },
];
const ADDRESSES: readonly string[] = ["https://target.example.com/", "BINDING", "owner/name", "other"];
const TARGET_MEMBERS: readonly JsonObject[] = [{}, { chat: "-1001234567890" }, { token: "TOKEN" }];

const TRANSFORMS: Readonly<Record<string, Json>> = {
  constant: { constant: { text: "hello" } },
  path: { path: "$.data.ref" },
  template: { template: { paths: { ref: "$.data.ref" }, body: { text: "<ref>" } } },
  jsonata: { jsonata: '{ "tag": $replace(data.ref, /^refs.tags./, "") }' },
};

/** Throws where a kind takes none of the entries here. `jsonata`: whether a rule has an expression, with a regular expression in it. */
export function everythingOn(
  { sources, targets }: Registry,
  { jsonata }: { readonly jsonata: boolean },
): RulesDocument {
  const transforms = Object.entries(TRANSFORMS).filter(([name]) => jsonata || name !== "jsonata");
  const rules = transforms.map(([name, transform]): RuleDefinition => ({
    path: `default/${name}`,
    bus: "default",
    pattern: { type: [{ prefix: "com." }] },
    transform,
    targets: Object.keys(targets),
    mode: "live",
  }));
  return {
    version: "everything",
    sources: Object.entries(sources).map(([kind, source]) => ({
      name: kind,
      kind,
      bus: "default",
      entry: firstRead(`source ${kind}`, source, SOURCE_ENTRIES),
    })),
    targets: Object.entries(targets).map(([kind, target]) => ({
      name: kind,
      kind,
      entry: firstRead(`target ${kind}`, target, targetEntries(kind)),
      timeoutMs: 15_000,
      retryDelaysMs: [5_000],
      maxAgeMs: 60_000,
    })),
    rules,
  };
}

function targetEntries(kind: string): readonly JsonObject[] {
  return TARGET_MEMBERS.flatMap((members) => ADDRESSES.map((address) => ({ [kind]: address, ...members })));
}

function firstRead(what: string, { parse }: AnySource | AnyTarget, entries: readonly JsonObject[]): JsonObject {
  const entry = entries.find((each) => parse(each).ok);
  if (entry === undefined) throw new Error(`scripts/everything-on.ts has no entry that the ${what} takes: add one`);
  return entry;
}
