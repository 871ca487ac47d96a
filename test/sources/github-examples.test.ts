/**
 * Every payload that GitHub's documentation publishes, against the official mapping. The expectation is read from
 * test/conformance/github-adapter.tsv by an interpreter of its own, which shares nothing with the source.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createPruner } from "../../src/core/json-prune.ts";
import type { Received } from "../../src/core/source.ts";
import { wantedMembers } from "../../src/core/wanted-paths.ts";
import { buildWantedTree } from "../../src/core/wanted-tree.ts";
import { GITHUB_MAPPING } from "../../src/sources/_github-mapping.ts";
import github from "../../src/sources/github.ts";
import { NOW, contextWith, githubSignature, requestOf, textOf } from "./_context.ts";

interface Row {
  readonly event: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
}

const rows = new Map(
  readFileSync(fileURLToPath(new URL("../conformance/github-adapter.tsv", import.meta.url).href), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !line.startsWith("event\t"))
    .map((line): [string, Row] => {
      const [event = "", type = "", source = "", subject = "", time = ""] = line.split("\t");
      return [event, { event, type, source, subject, time }];
    }),
);

interface Definition {
  readonly name: string;
  readonly examples: readonly object[];
}

const examplesFile = createRequire(import.meta.url).resolve("@octokit/webhooks-examples/api.github.com/index.json");
const definitions = JSON.parse(readFileSync(examplesFile, "utf8")) as readonly Definition[];
const examples = definitions.flatMap(({ name, examples }) => examples.map((payload) => ({ name, payload })));

/** What stands at a path of the TSV; null where it is null or absent. */
function at(payload: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | null)?.[name] ?? null, payload);
}

function firstOf(payload: object, paths: readonly string[]): unknown {
  return paths.map((path) => at(payload, path)).find((value) => value !== null);
}

function expectedType({ event, type }: Row, payload: object): string {
  const pieces = type.split("+").map((piece) => piece.trim());
  const paths = event === "status" ? ["state"] : pieces.slice(1).filter((piece) => piece !== ".");
  const values = paths.map((path) => at(payload, path)).filter((value) => value !== null);
  return [(pieces[0] ?? "").replace(/\.$/, ""), ...values].join(".");
}

function expectedSource({ source }: Row, payload: object): unknown {
  if (source === "github.com") return source;
  const fallback = firstOf(payload, [
    "repository.url",
    "organization.url",
    "installation.account.url",
    "enterprise.url",
    "sender.url",
  ]);
  if (source === "sender.url without the /username portion")
    return String(at(payload, "sender.url")).replace(/\/[^/]*$/, "");
  const values = source.split(" + ").map((piece) => (piece === "/" ? piece : at(payload, piece)));
  return values.includes(null) ? fallback : values.join("");
}

function expectedTime({ time }: Row, payload: object): string {
  const action = String(at(payload, "action"));
  const paths = time.split("??").map((path) => path.trim().replace("<action>", action));
  const value = firstOf(payload, paths);
  if (typeof value === "number") return new Date(value * 1000).toISOString();
  return typeof value === "string" && value.includes("T") && !Number.isNaN(Date.parse(value)) ? value : NOW;
}

function expectedAttributes(name: string, payload: object): object {
  const unlisted = {
    event: name,
    type: `com.github.${name}. + action`,
    source: "repository.url",
    subject: "-",
    time: "now",
  };
  const row = rows.get(name) ?? unlisted;
  const subject = row.subject === "-" ? null : at(payload, row.subject);
  return {
    specversion: "1.0",
    id: "delivery-1",
    source: expectedSource(row, payload) ?? "https://github.com",
    type: expectedType(row, payload),
    ...(subject === null ? {} : { subject: String(subject) }),
    time: expectedTime(row, payload),
    datacontenttype: "application/json",
  };
}

const SECRET = "s3cret";
const CONFIG = { auth: "signature", secretNames: ["S"], replays: "flag" } as const;

function headersOf(name: string, contentType: string, body: string): Record<string, string> {
  return {
    "content-type": contentType,
    "x-github-event": name,
    "x-github-delivery": "delivery-1",
    "x-github-hook-id": "7",
    "x-hub-signature-256": githubSignature(SECRET, body),
  };
}

function receive(name: string, contentType: string, body: string) {
  const request = requestOf(headersOf(name, contentType, body), body);
  const result = github.receive(request, CONFIG, "github", contextWith({ S: SECRET }));
  if (!result.ok) throw new Error(`rejected: ${JSON.stringify(result.error)}`);
  return result.value;
}

/** As if the payload were large: it streams by in parts, and is seen only as far as the mapping names it. */
function receiveLarge(name: string, text: string): Received {
  const { method, url, headers } = requestOf(headersOf(name, "application/json", text), "");
  const reading = github.receiveLarge?.({ method, url, headers }, CONFIG, "github", contextWith({ S: SECRET }));
  if (reading?.ok !== true) throw new Error("it takes large payloads");
  const { paths, update, finish } = reading.value;
  const pruner = createPruner(buildWantedTree(wantedMembers(paths)));
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 1_000) {
    update(bytes.subarray(at, at + 1_000));
    pruner.update(bytes.subarray(at, at + 1_000));
  }
  const pruned = pruner.finish();
  if (!pruned.ok) throw new Error(pruned.error.reason);
  const received = finish(pruned.value);
  if (!received.ok) throw new Error(`rejected: ${JSON.stringify(received.error)}`);
  return received.value;
}

function withoutBody({ events, ...request }: Received) {
  const [{ event, ...received } = { event: { attributes: {}, body: null }, data: undefined }] = events;
  return { ...request, ...received, attributes: event.attributes, body: event.body };
}

describe("GitHub's published examples", () => {
  it("are all here, and so is the table", () => {
    expect(examples).toHaveLength(329);
    expect(rows.size).toBe(71);
    expect(Object.keys(GITHUB_MAPPING).toSorted()).toEqual([...rows.keys()].toSorted());
  });

  it.each(definitions)("of $name are mapped as the table says, in both encodings", ({ name, examples }) => {
    for (const payload of examples) {
      const text = JSON.stringify(payload, null, 2);
      const asJson = receive(name, "application/json", text);
      const asForm = receive(name, "application/x-www-form-urlencoded", `${new URLSearchParams({ payload: text })}`);
      expect(asJson.events[0]?.event.attributes).toEqual(expectedAttributes(name, payload));
      expect(textOf(asJson.events[0]?.event.body)).toBe(text);
      expect(asForm).toEqual(asJson);
      expect(asJson.events[0]?.key).toMatch(/^(?:(?:repository|organization|installation|sender):\d+|github)$/);
    }
  });

  it.each(definitions)("of $name are the same when only what the mapping names is read", ({ name, examples }) => {
    for (const payload of examples) {
      const text = JSON.stringify(payload);
      const { body, data, ...expected } = withoutBody(receive(name, "application/json", text));
      expect(textOf(body)).toBe(text);
      // What a large payload was pruned to is no view of its body.
      expect(data).toEqual(payload);
      expect(withoutBody(receiveLarge(name, text))).toEqual({ ...expected, body: null });
    }
  });

  it("come out as a reader of the mapping would write them", () => {
    const written: readonly (readonly [string, number, object])[] = [
      [
        "push",
        0,
        {
          type: "com.github.push",
          source: "https://github.com/Codertocat/Hello-World",
          subject: "refs/tags/simple-tag",
          time: NOW,
        },
      ],
      ["create", 0, { type: "com.github.create.tag", subject: "simple-tag" }],
      [
        "commit_comment",
        0,
        {
          type: "com.github.commit_comment.created",
          source:
            "https://api.github.com/repos/Codertocat/Hello-World/comments/33548674/6113728f27ae82c7b1a177c8d03f9e96e0adf246",
          subject: "33548674",
          time: "2019-05-15T15:20:39Z",
        },
      ],
      ["marketplace_purchase", 0, { source: "https://api.github.com/users", time: "2017-10-25T00:00:00+00:00" }],
      ["membership", 0, { type: "com.github.membership.team.removed", subject: "Codertocat" }],
      ["status", 0, { type: "com.github.status.success", time: "2019-05-15T15:20:55+00:00" }],
      ["security_advisory", 0, { source: "github.com" }],
      ["repository_dispatch", 0, { type: "com.github.repository_dispatch.on-demand-test" }],
      ["deployment_status", 0, { type: "com.github.deployment_status.success" }],
      ["installation", 0, { time: "2018-04-30T17:38:19.000Z" }],
      ["release", 0, { type: "com.github.release.published", time: "2019-05-15T15:20:53Z" }],
    ];
    for (const [name, index, expected] of written) {
      const payload = definitions.find((definition) => definition.name === name)?.examples[index];
      const event = receive(name, "application/json", JSON.stringify(payload)).events[0]?.event;
      expect(event?.attributes).toMatchObject(expected);
    }
  });
});
