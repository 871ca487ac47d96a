/** A rule on trial and a secret on its way out, through the whole router as its users run it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSluice } from "../bin/run-sluice.ts";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, waitFor } from "../support/router-process.ts";

interface ShownEvent {
  readonly id: string;
  readonly status: string;
  readonly rules: readonly string[];
  readonly shadow?: readonly Readonly<Record<string, unknown>>[];
}

let workspace: Workspace;
let router: RouterProcess;
let target: TestServer;

beforeAll(async () => {
  target = await startServer((response) => response.writeHead(204).end());
  workspace = await createWorkspace();
  await workspace.writeRules({
    "sources.yaml":
      "events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN, NEXT_TOKEN] } }\nopen: { kind: cloudevents, auth: none }\n",
    "targets.yaml": `ci: { http: "${target.url}" }\n`,
    "default/live.yaml": "pattern: { type: [order] }\ntargets: [ci]\n",
    "default/try.yaml": [
      "mode: shadow",
      "pattern: { type: [order, quote] }",
      'transform: { template: { paths: { n: $.data.n }, body: { text: "number <n>" } } }',
      "targets: [ci]",
    ].join("\n"),
    "default/as-is.yaml": "mode: shadow\npattern: { type: [quote] }\ntargets: [ci]\n",
    "default/endless.yaml": [
      "mode: shadow",
      "pattern: { type: [endless] }",
      "transform: { jsonata: '( $f := function($n) { $f($n + 1) }; $f(0) )' }",
      "targets: [ci]",
    ].join("\n"),
    "default/endless-too.yaml": "pattern: { type: [endless] }\ntargets: [ci]\n",
    "default/unmet.yaml": "mode: shadow\npattern: { type: [nothing] }\ntargets: [ci]\n",
  });
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await target.close();
});

const sluice = (...args: readonly string[]) =>
  runSluice([...args, "--to", router.url], { cwd: workspace.dir, env: SECRETS });

async function sendEvent(
  type: string,
  id: string,
): Promise<{ readonly id: string; readonly rules: readonly string[] }> {
  const headers = {
    authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": id,
    "ce-source": "/tests",
    "ce-type": type,
  };
  const answer = await fetch(`${router.url}/events`, { method: "POST", headers, body: '{"n": 7}' });
  return (await answer.json()) as Awaited<ReturnType<typeof sendEvent>>;
}

describe("a shadow rule beside a live one", () => {
  it("delivers nothing: the target gets the live rule's request, and the record says what the other one would have sent", async () => {
    const { id, rules } = await sendEvent("order", "o-1");
    expect(rules).toEqual(["default/live"]);
    const event = await waitFor("the delivery", async () => {
      const found = await admin<ShownEvent>(router.url, `events/${id}`);
      return found.status === "delivered" ? found : undefined;
    });
    expect(event.rules).toEqual(["default/live"]);
    expect(event.shadow).toEqual([{ rule: "default/try", targets: ["ci"], output: '{"text":"number 7"}' }]);
    expect(target.requests.map(({ body }) => String(body))).toEqual(['{"n": 7}']);
  });

  it("alone leaves an event unmatched, and still shows it", async () => {
    const { id, rules } = await sendEvent("quote", "q-1");
    expect(rules).toEqual([]);
    const event = await admin<ShownEvent>(router.url, `events/${id}`);
    expect(event).toMatchObject({ status: "unmatched", shadow: [{ rule: "default/as-is" }, { rule: "default/try" }] });
    const shown = await sluice("event", id);
    expect(shown.stdout).toContain("shadow  default/as-is\n  to ci: the payload as it came\n");
    expect(shown.stdout).toContain('shadow  default/try\n  to ci:\n    {\n      "text": "number 7"\n    }\n');
    expect(target.requests).toHaveLength(1);
  });

  it("records a repeat once", async () => {
    await sendEvent("quote", "q-1");
    const { events } = await admin<{ events: readonly ShownEvent[] }>(router.url, "events?id=q-1&shadow=default/try");
    expect(events.map(({ shadow }) => shadow)).toEqual([
      [{ rule: "default/try", targets: ["ci"], output: '{"text":"number 7"}' }],
    ]);
  });

  it("is shown by the command line, newest first, with what would have gone out", async () => {
    const { code, stdout } = await sluice("events", "--shadow", "default/try");
    expect(code).toBe(0);
    expect(stdout.replaceAll(/evt_\S+ {2}\S+ \S+ UTC/g, "evt_…")).toBe(
      ["quote", "order"].map((type) => `evt_…  ${type}\n  to ci:\n    {\n      "text": "number 7"\n    }\n`).join(""),
    );
    const asIs = await sluice("events", "--shadow", "default/as-is");
    expect(asIs.stdout).toMatch(/ quote\n {2}to ci: the payload as it came\n$/);
    expect(asIs.stderr).toBe("To see a payload: npm run sluice -- event <receipt>\n");
    const whole = JSON.parse((await sluice("events", "--shadow", "default/try", "--json")).stdout) as {
      readonly events: readonly ShownEvent[];
    };
    expect(whole.events.map(({ shadow }) => shadow?.[0]?.["output"])).toEqual([
      '{"text":"number 7"}',
      '{"text":"number 7"}',
    ]);
  });

  it("that has nothing to show is told apart from one that is live, and from none", async () => {
    expect(await sluice("events", "--shadow", "default/unmet")).toEqual({
      code: 0,
      stdout: "",
      stderr: "Of the shadow rule default/unmet nothing is recorded with these events yet.\n",
    });
    const live = await sluice("events", "--shadow", "default/live");
    expect(live).toMatchObject({ code: 1, stdout: "" });
    expect(live.stderr).toContain("error: the rule default/live is live, and has recorded nothing as a shadow rule\n");
    const none = await sluice("events", "--shadow", "default/tri");
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toContain('unknown rule "default/tri"; did you mean "default/try"?');
  });
});

describe("a shadow rule whose transform never ends", () => {
  it("is stopped, and then not worked out for the rest of a batch: all of it is accepted and delivered", async () => {
    const events = Array.from({ length: 30 }, (_, n) => ({
      specversion: "1.0",
      id: `x-${n}`,
      source: "/t",
      type: "endless",
    }));
    const headers = {
      authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
      "content-type": "application/cloudevents-batch+json",
    };
    const before = target.requests.length;
    const answer = await fetch(`${router.url}/events`, { method: "POST", headers, body: JSON.stringify(events) });
    expect(answer.status).toBe(202);
    const page = await admin<{ events: readonly ShownEvent[] }>(
      router.url,
      "events?type=endless&shadow=default/endless&limit=50",
    );
    const problems = page.events.map(({ shadow }) => String(shadow?.[0]?.["problem"]));
    const [stopped, late] = ["steps", "not worked out: the shadow rules of this request had used up their"].map(
      (text) => problems.filter((problem) => problem.includes(text)).length,
    );
    expect((stopped ?? 0) + (late ?? 0)).toBe(events.length);
    expect(stopped).toBeGreaterThan(0);
    expect(late).toBeGreaterThan(10);
    await waitFor("all deliveries", () => (target.requests.length === before + events.length ? true : undefined));
  });
});

describe("the list of sources", () => {
  it("shows which secret is in use and which is not, and never a secret", async () => {
    const { code, stdout, stderr } = await sluice("sources");
    expect(code).toBe(0);
    const [titles, ...lines] = stdout.trimEnd().split("\n");
    expect(titles).toMatch(/^SOURCE +KIND +BUS +ADDRESS +SECRET +LAST VERIFIED \(UTC\)$/);
    expect(lines).toEqual([
      expect.stringMatching(
        /^events +cloudevents +default +\/webhooks\/events, \/events +INGEST_TOKEN +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
      ),
      // npm start makes up the secrets that are not set.
      expect.stringMatching(/^ +NEXT_TOKEN +never$/),
      expect.stringMatching(/^open +cloudevents +default +\/webhooks\/open +- +anyone may send$/),
    ]);
    expect(stderr).toContain("NEXT_TOKEN of events has never verified a request.");
    expect(stderr).toContain("To rotate a secret:");
    for (const secret of Object.values(SECRETS)) expect(stdout + stderr).not.toContain(secret);
    const json = JSON.parse((await sluice("sources", "--json")).stdout) as { readonly sources: readonly unknown[] };
    expect(json.sources).toHaveLength(2);
  });
});
