import { describe, expect, it } from "vitest";
import { githubEvent } from "../../bin/event-input.ts";
import { githubSchema } from "../../scripts/github-schema.ts";
import { mayStand } from "../../scripts/github-schema-places.ts";
import type { Scalar } from "../../src/core/alternative.ts";
import type { Json, JsonObject } from "../../src/core/result.ts";
import { GITHUB_MAPPING } from "../../src/sources/_github-mapping.ts";
import { githubExamples } from "../support/github-examples.ts";

const schema = githubSchema();
const examples = githubExamples().map(({ event, body }) => {
  const payload = JSON.parse(body) as JsonObject;
  const { type } = githubEvent(event, payload, 0).attributes;
  return { type, values: scalarsOf(payload) };
});

/** Every scalar with its path, arrays transparent. */
function scalarsOf(value: Json, path = ""): readonly (readonly [string, Scalar])[] {
  if (typeof value !== "object" || value === null) return [[path, value]];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((item) => scalarsOf(item, path));
  return Object.entries(value).flatMap(([name, member]) =>
    scalarsOf(member as Json, path === "" ? name : `${path}.${name}`),
  );
}

function placeAt(type: string, path: string) {
  return schema.find(`com.github.${type}`)?.placeAt(path);
}

describe("the published examples", () => {
  it("have no type, no field and no value that the schemas rule out", () => {
    expect(examples).toHaveLength(329);
    const wrong = examples.flatMap(({ type, values }) => {
      const known = schema.find(type);
      if (known === undefined) return [type];
      return values.flatMap(([path, value]) => {
        const place = known.placeAt(path);
        return place !== undefined && mayStand(place, value) ? [] : [`${type} ${path} ${JSON.stringify(value)}`];
      });
    });
    expect(wrong).toEqual([]);
  });
  it("have every field that the schemas say is always there", () => {
    const pathsByType = new Map<string, Set<string>>();
    for (const { type, values } of examples) {
      const paths = pathsByType.get(type) ?? new Set();
      for (const [path] of values) paths.add(path);
      pathsByType.set(type, paths);
    }
    let required = 0;
    const missing = examples.flatMap(({ type, values }) => {
      const there = new Set(values.map(([path]) => path));
      return [...(pathsByType.get(type) ?? [])].filter((path) => {
        const place = schema.find(type)?.placeAt(path);
        if (place?.isRequired !== true || place.hasArray || place.objects.length > 0) return false;
        required++;
        return !there.has(path);
      });
    });
    expect(missing).toEqual([]);
    expect(required).toBeGreaterThan(10_000);
  });
  it("leave little of what they hold unknown", () => {
    const all = examples.flatMap(({ type, values }) => values.map(([path]) => schema.find(type)?.placeAt(path)));
    expect(all.filter((place) => place?.isUnknown === true).length / all.length).toBeLessThan(0.02);
  });
});

describe("types", () => {
  it("are those of the mapping, with what follows the event", () => {
    for (const event of Object.keys(GITHUB_MAPPING)) {
      const known = schema.typesOf(event).length > 0 || schema.find(`com.github.${event}.any`) !== undefined;
      expect([event, known]).toEqual([event, true]);
    }
    const of = (event: string) => schema.typesOf(event).map(({ type }) => type.slice("com.github.".length));
    expect(of("push")).toEqual(["push"]);
    expect(of("ping")).toEqual(["ping"]);
    expect(of("create")).toEqual(["create.branch", "create.tag"]);
    expect(of("status")).toEqual(["status.error", "status.failure", "status.pending", "status.success"]);
    expect(of("membership")).toContain("membership.team.added");
    expect(of("deployment_status")).toContain("deployment_status.inactive");
    expect(of("pull_request")).toContain("pull_request.labeled");
    expect(of("sub_issues")).toContain("sub_issues.sub_issue_added");
  });
  it("end as the sender likes where the sender chooses", () => {
    expect(schema.find("com.github.repository_dispatch.deploy-it")?.placeAt("action")?.exact).toEqual(
      new Set(["deploy-it"]),
    );
    expect(schema.find("com.github.repository_dispatch")).toBeUndefined();
    expect(schema.find("com.github.pull_request.deploy-it")).toBeUndefined();
    expect(schema.find("com.github.pull_request")).toBeUndefined();
    expect(schema.find("com.github.__proto__")).toBeUndefined();
  });
  it("say of which ones the schemas know nothing", () => {
    expect(schema.find("com.github.issues.typed")?.hasSchema).toBe(false);
    expect(schema.find("com.github.issues.opened")?.hasSchema).toBe(true);
  });
});

describe("places", () => {
  it("know what stands at a path", () => {
    expect(placeAt("push", "ref")).toMatchObject({ any: new Set(["string"]), exact: new Set(), isRequired: true });
    expect(placeAt("push", "forced")?.exact).toEqual(new Set([true, false]));
    expect(placeAt("push", "repository")?.objects).not.toHaveLength(0);
    expect(placeAt("push", "repository.nmae")).toBeUndefined();
    expect(placeAt("push", "ref.name")).toBeUndefined();
  });
  it("see through arrays, where nothing is always there", () => {
    expect(placeAt("push", "commits.author.name")).toMatchObject({ any: new Set(["string"]), isRequired: false });
  });
  it("hold what allOf adds for one action against the common definition", () => {
    expect(placeAt("pull_request.closed", "pull_request.state")?.exact).toEqual(new Set(["closed"]));
    expect(placeAt("pull_request.labeled", "pull_request.state")?.exact).toEqual(new Set(["open", "closed"]));
    expect(placeAt("issues.opened", "issue.titel")).toBeUndefined();
  });
  it("take the parts of the type for what they are", () => {
    expect(placeAt("create.tag", "ref_type")?.exact).toEqual(new Set(["tag"]));
    expect(placeAt("membership.team.added", "scope")?.exact).toEqual(new Set(["team"]));
  });
  it("are unknown where the schemas let anything stand", () => {
    expect(placeAt("repository_dispatch.x", "client_payload.any.thing")?.isUnknown).toBe(true);
    expect(placeAt("push", "enterprise.slug")?.isUnknown).toBe(true);
    expect(placeAt("secret_scanning_scan.completed", "anything")?.isUnknown).toBe(true);
  });
  it("have the values that GitHub has added to lists", () => {
    expect(placeAt("workflow_job.completed", "workflow_job.conclusion")?.exact).toContain("timed_out");
    expect(placeAt("push", "sender.type")?.exact).toContain("Mannequin");
  });
  it("name their members", () => {
    const names = schema.find("com.github.push")?.namesAt("") ?? [];
    expect(names).toContain("head_commit");
    expect(schema.find("com.github.push")?.namesAt("ref")).toEqual([]);
  });
});
