/** Ordered rules, redelivery and replays as their users meet them: real requests in, real requests out. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, sendGithub, waitFor } from "../support/router-process.ts";

interface Receipt {
  readonly id: string;
  readonly status: string;
  readonly redriven?: number;
}

interface ShownDelivery {
  readonly state: string;
  readonly reason?: string;
  readonly target: string;
  readonly note?: string;
  readonly attemptCount: number;
}

interface ShownEvent {
  readonly status: string;
  readonly replayOf?: string;
  readonly deliveries: readonly ShownDelivery[];
}

let workspace: Workspace;
let router: RouterProcess;
let target: TestServer;
let other: TestServer;
/** The target takes its time with this event. */
const SLOW_ID = "latest-1";
const SLOW_MS = 1_000;
/** What the target answers to the event with this id; 204 to all others. */
const answers = new Map<string, number>();

beforeAll(async () => {
  target = await startServer((response, request) => {
    const id = String(request.headers["ce-id"]);
    setTimeout(() => response.writeHead(answers.get(id) ?? 204).end(), id === SLOW_ID ? SLOW_MS : 0);
  });
  other = await startServer((response) => response.writeHead(204).end());
  workspace = await createWorkspace();
  const rule = (type: string, rest: string) => `pattern: { type: [${type}] }\ntargets: [ordered]\n${rest}\n`;
  await workspace.writeRules({
    "sources.yaml": `
github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }
strict: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET], replays: refuse }
events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }
`,
    "targets.yaml": `
ordered: { http: "${target.url}", retry: [1s] }
other: { http: "${other.url}" }
`,
    "default/block.yaml": rule("com.example.block", "order: key"),
    "default/skip.yaml": rule("com.example.skip", "order: key\non_failure: { skip-after: 2 }"),
    "default/park.yaml": rule("com.example.park", "order: key\non_failure: park"),
    "default/latest.yaml": rule("com.example.latest", "order: key\non_failure: latest"),
    "default/sequence.yaml": rule("com.example.sequence", "order: sequence\ngap_wait: 3s"),
    "default/github.yaml": "pattern: { type: [{ prefix: com.github. }] }\ntargets: [ordered, other]\n",
  });
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await Promise.all([target.close(), other.close()]);
});

async function send(type: string, id: string, headers: Record<string, string> = {}): Promise<Receipt> {
  const response = await fetch(`${router.url}/events`, {
    method: "POST",
    body: "{}",
    headers: {
      authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": id,
      "ce-source": "https://example.com/tests",
      "ce-type": `com.example.${type}`,
      "ce-subject": type,
      ...headers,
    },
  });
  expect(response.status).toBe(202);
  return (await response.json()) as Receipt;
}

const eventOf = ({ id }: Receipt) => admin<ShownEvent>(router.url, `events/${id}`);
const deliveryOf = async (receipt: Receipt) => (await eventOf(receipt)).deliveries[0];

const inState = (receipt: Receipt, state: string) =>
  waitFor(`${receipt.id} to be ${state}`, async () => {
    const delivery = await deliveryOf(receipt);
    return delivery?.state === state ? delivery : undefined;
  });

/** The ids that the ordered target got, of those that begin like this, in their order. */
const arrived = (prefix: string) =>
  target.requests.map(({ headers }) => String(headers["ce-id"])).filter((id) => id.startsWith(prefix));

describe("an ordered rule", () => {
  it("that blocks tries an event again before the next of its key, and does not keep other keys waiting", async () => {
    answers.set("block-1", 503);
    const first = await send("block", "block-1");
    const second = await send("block", "block-2");
    const elsewhere = await send("block", "blockother-1", { "ce-partitionkey": "other" });
    await inState(elsewhere, "delivered");
    await waitFor("a retry", () => (arrived("block-").length >= 2 ? true : undefined));
    expect((await deliveryOf(second))?.state).toBe("queued");
    answers.delete("block-1");
    await inState(second, "delivered");
    expect((await deliveryOf(first))?.state).toBe("delivered");
    expect(arrived("block-").at(-1)).toBe("block-2");
    expect(new Set(arrived("block-").slice(0, -1))).toEqual(new Set(["block-1"]));
  });

  it("that skips goes on after so many failures", async () => {
    answers.set("skip-1", 503);
    const first = await send("skip", "skip-1");
    const second = await send("skip", "skip-2");
    await inState(second, "delivered");
    expect(await deliveryOf(first)).toMatchObject({ state: "dead", reason: "skipped", attemptCount: 2 });
    expect(arrived("skip-")).toEqual(["skip-1", "skip-1", "skip-2"]);
  });

  it("that parks stops, says so, and goes on in order after a re-drive", async () => {
    answers.set("park-1", 422);
    const first = await send("park", "park-1");
    const [second, third] = [await send("park", "park-2"), await send("park", "park-3")];
    expect(await inState(first, "parked")).toMatchObject({ reason: "status" });
    const listed = await admin<{ deliveries: readonly { event: { id: string } }[] }>(
      router.url,
      "deliveries?state=parked",
    );
    expect(listed.deliveries.map(({ event }) => event.id)).toEqual([first.id]);
    expect(arrived("park-")).toEqual(["park-1"]);
    answers.delete("park-1");
    const body = JSON.stringify({ event: first.id });
    expect(await admin(router.url, "redrive", { method: "POST", body })).toMatchObject({ redriven: 1 });
    await inState(third, "delivered");
    expect((await deliveryOf(second))?.state).toBe("delivered");
    expect(arrived("park-")).toEqual(["park-1", "park-1", "park-2", "park-3"]);
  });

  it("that wants the latest cancels what a newer event has replaced", async () => {
    answers.set("latest-1", 503);
    const receipts = [];
    for (const n of [1, 2, 3, 4]) receipts.push(await send("latest", `latest-${n}`));
    const [first, second, third, fourth] = receipts as [Receipt, Receipt, Receipt, Receipt];
    await inState(fourth, "delivered");
    for (const replaced of [first, second, third]) {
      expect(await deliveryOf(replaced)).toMatchObject({ state: "cancelled", reason: "superseded" });
    }
    expect(arrived("latest-")).toEqual(["latest-1", "latest-4"]);
  });

  it("by sequence waits for a gap to close, and passes one that does not", async () => {
    const numbered = (n: number) => send("sequence", `sequence-${n}`, { "ce-sequence": String(n) });
    const [one, three, two] = [await numbered(1), await numbered(3), await numbered(2)];
    await inState(three, "delivered");
    await inState(one, "delivered");
    await inState(two, "delivered");
    expect(arrived("sequence-")).toEqual(["sequence-1", "sequence-2", "sequence-3"]);
    const five = await numbered(5);
    expect((await deliveryOf(five))?.state).toBe("queued");
    const passed = await inState(five, "delivered");
    expect(passed.note).toContain("number 4");
    const late = await inState(await numbered(4), "delivered");
    expect(late.note).toContain("late");
  });
});

describe("GitHub's Redeliver button", () => {
  it("opens again only what did not succeed", async () => {
    const id = randomUUID();
    answers.set(id, 422);
    const webhook = { event: "ping", body: JSON.stringify({ zen: id }), id };
    const first = (await (await sendGithub(router.url, webhook)).json()) as Receipt;
    await waitFor("one dead, one delivered", async () => ((await eventOf(first)).status === "dead" ? true : undefined));
    answers.delete(id);
    const again = (await (await sendGithub(router.url, webhook)).json()) as Receipt;
    expect(again).toMatchObject({ id: first.id, status: "duplicate", redriven: 1 });
    await waitFor("the repair", async () => ((await eventOf(first)).status === "delivered" ? true : undefined));
    const once = (await (await sendGithub(router.url, webhook)).json()) as Receipt;
    expect(once).not.toHaveProperty("redriven");
    expect(arrived(id)).toHaveLength(2);
    expect(other.requests.filter(({ headers }) => headers["ce-id"] === id)).toHaveLength(1);
  });
});

describe("the same signed payload under a new GUID", () => {
  it("is accepted and flagged", async () => {
    const webhook = { event: "ping", body: JSON.stringify({ zen: "replayed" }) };
    const first = (await (await sendGithub(router.url, webhook)).json()) as Receipt;
    const second = (await (await sendGithub(router.url, webhook)).json()) as Receipt;
    expect([first.status, second.status]).toEqual(["accepted", "accepted"]);
    expect((await eventOf(second)).replayOf).toBe(first.id);
    expect(await eventOf(first)).not.toHaveProperty("replayOf");
  });

  it("is refused where the source says so, and the refusal is on record", async () => {
    const webhook = { event: "ping", body: JSON.stringify({ zen: "refused" }), source: "strict" };
    const first = (await (await sendGithub(router.url, webhook)).json()) as Receipt;
    const refused = await sendGithub(router.url, webhook);
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain(first.id);
    const { rejections } = await waitFor("the record", async () => {
      const answer = await admin<{ rejections: readonly { reason: string }[] }>(router.url, "rejections");
      return answer.rejections.length > 0 ? answer : undefined;
    });
    expect(rejections).toMatchObject([{ reason: "replayed", source: "strict" }]);
  });
});
