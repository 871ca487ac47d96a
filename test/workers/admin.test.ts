/** The admin API through the whole Worker, over real partitions: what it shows, what it hides, and what it refuses. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deliveryId, formatReceipt, partitionName, seqAtMs } from "../../src/core/receipt.ts";
import { rules } from "../../src/generated/rules.ts";
import { hashing } from "../../src/hashing.ts";
import { PAGE_EVENTS, PAGE_EVENTS_MAX, PARAMETER_CHARACTERS_MAX } from "../../src/http/admin-query.ts";
import { REDRIVE_BODY_BYTES_MAX, REDRIVE_EVENTS_MAX } from "../../src/http/redrive-request.ts";
import type { Answer, EventFields, Headers, Receipt, SentRequest, ShownDelivery, ShownEvent } from "./router.ts";
import {
  admin,
  adminToken,
  answerTargets,
  batchCall,
  eventById,
  eventOf,
  eventWithStatus,
  githubCall,
  partition,
  problemOf,
  pushOf,
  receiptOf,
  send,
  sendWith,
  structuredCall,
} from "./router.ts";

const DAY_MS = 86_400_000;
const UNMATCHED = "com.example.nobody-asked";

interface EventsPage {
  readonly events: readonly ShownEvent[];
  readonly next: string | null;
}

interface DeadPage {
  readonly deliveries: readonly (ShownDelivery & { readonly event: Omit<ShownEvent, "deliveries"> })[];
  readonly next: string | null;
}

interface Redriven {
  readonly redriven: number;
  readonly results: readonly { readonly event: string; readonly redriven: number; readonly problem?: string }[];
}

let sent: readonly SentRequest[] = [];
/** What the target answers now. */
let targetAnswer: (request: SentRequest) => Response = () => new Response("ok");

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  targetAnswer = () => new Response("ok");
  sent = answerTargets((request) => targetAnswer(request));
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function publish(fields: EventFields): Promise<Receipt> {
  return receiptOf(await send("/events", structuredCall(eventOf(fields))));
}

/** An event whose delivery is dead: the target has refused it for good. */
async function publishDead(fields: EventFields): Promise<Receipt> {
  targetAnswer = () => new Response("no such thing", { status: 422 });
  const receipt = await publish(fields);
  await eventWithStatus(receipt.id, "dead");
  targetAnswer = () => new Response("ok");
  return receipt;
}

const idsOf = (page: EventsPage) => page.events.map((event) => event.id);

function get(path: string, headers: Headers = adminToken()): Promise<Answer> {
  return send(`/api${path}`, { method: "GET", headers });
}

function redrive(body: unknown): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return send("/api/redrive", { headers: adminToken(), body: text });
}

async function redriven(body: unknown): Promise<Redriven> {
  const answer = await redrive(body);
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 202 });
  return answer.json as Redriven;
}

/** Follows `next` to the end. */
async function pages<Page extends { readonly next: string | null }>(
  path: string,
  from: string | null = "",
): Promise<readonly Page[]> {
  const found: Page[] = [];
  let cursor = from;
  while (cursor !== null && found.length < 100) {
    const page: Page = await admin<Page>(cursor === "" ? path : `${path}&cursor=${encodeURIComponent(cursor)}`);
    found.push(page);
    cursor = page.next;
  }
  return found;
}

const ROUTES = [
  ["GET", "/api/events"],
  ["GET", "/api/events/evt_x"],
  ["GET", "/api/explain/evt_x"],
  ["GET", "/api/deliveries?state=dead"],
  ["POST", "/api/redrive"],
  ["GET", "/api/log"],
  ["GET", "/api/rules"],
  ["GET", "/api/rejections"],
  ["GET", "/api/nothing-here"],
] as const;

describe("who is let in", () => {
  it.each(ROUTES)("%s %s is closed, and says how to open it, while no token is set", async (method, path) => {
    for (const token of [undefined, ""]) {
      for (const headers of [{}, adminToken(), { authorization: "Bearer " }, { authorization: "Bearer undefined" }]) {
        const answer = await sendWith({ ADMIN_TOKEN: token }, path, { method, headers });
        expect(problemOf(answer)).toBe("403 admin-closed");
        expect(answer.text).toContain("ADMIN_TOKEN");
      }
    }
  });

  it.each(ROUTES)("%s %s asks for the token, and takes no other", async (method, path) => {
    const wrong = [
      {},
      { authorization: "" },
      { authorization: "Bearer" },
      { authorization: env.ADMIN_TOKEN },
      { authorization: `Basic ${btoa(`admin:${env.ADMIN_TOKEN}`)}` },
      { authorization: `Bearer ${env.ADMIN_TOKEN}x` },
      { authorization: `Bearer ${env.ADMIN_TOKEN.slice(0, -1)}` },
      { authorization: `Bearer ${env.ADMIN_TOKEN.toUpperCase()}` },
      { authorization: `Bearer ${env.INGEST_TOKEN}` },
      { authorization: `Bearer ${env.ADMIN_TOKEN} ${env.ADMIN_TOKEN}` },
    ];
    for (const headers of wrong) {
      const answer = await send(path, { method, headers });
      expect(problemOf(answer)).toBe("401 wrong-admin-token");
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      expect(answer.text).not.toContain(env.ADMIN_TOKEN);
    }
    // A token in the address would stand in logs.
    const inQuery = `${path}${path.includes("?") ? "&" : "?"}token=${env.ADMIN_TOKEN}`;
    expect(problemOf(await send(inQuery, { method }))).toBe("401 wrong-admin-token");
  });

  it("takes the token whatever the case of the scheme, and lets nothing be cached", async () => {
    for (const scheme of ["Bearer", "bearer", "BEARER "]) {
      const answer = await get("/events", { authorization: `${scheme} ${env.ADMIN_TOKEN}` });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("cache-control")).toBe("no-store");
    }
  });
});

describe("the list of events", () => {
  it("shows the newest first, over all partitions, each with what became of it", async () => {
    const receipts: Receipt[] = [];
    for (let n = 0; n < 12; n++) receipts.push(await publish({ id: `list-${n}`, subject: `${n}`, type: UNMATCHED }));
    const { events } = await admin<EventsPage>("/events?limit=12");
    // Two events of one millisecond in two partitions may stand either way round.
    expect(events.map((event) => event.id).toSorted()).toEqual(receipts.map((receipt) => receipt.id).toSorted());
    const times = events.map((event) => Date.parse(event.acceptedAt));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(events.find((event) => event.id === receipts[0]?.id)).toEqual({
      id: receipts[0]?.id,
      acceptedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      status: "unmatched",
      from: "events",
      bus: "default",
      rules: [],
      event: { id: "list-0", source: "/tests", type: UNMATCHED, subject: "0" },
      deliveries: [],
    });
  });

  it("goes through all events page by page, each once, whatever the page's size", async () => {
    const source = "/tests/pages";
    const events = Array.from({ length: 23 }, (_, n) =>
      eventOf({ id: `page-${n}`, subject: `${n}`, source, type: UNMATCHED }),
    );
    const answer = await send("/events", batchCall(events));
    const accepted = (answer.json as readonly Receipt[]).map((receipt) => receipt.id).toSorted();
    const whole = idsOf(await admin<EventsPage>(`/events?source=${source}`));
    expect(whole.toSorted()).toEqual(accepted);
    for (const limit of [1, 4, 22, 23]) {
      const found = await pages<EventsPage>(`/events?source=${source}&limit=${limit}`);
      expect(found.flatMap(idsOf)).toEqual(whole);
      expect(found.every((page) => page.events.length <= limit)).toBe(true);
      expect(found.length).toBeGreaterThanOrEqual(Math.ceil(23 / limit));
    }
    // The same without a filter: more than one source in the pages.
    const everything = idsOf(await admin<EventsPage>("/events?limit=200"));
    expect((await pages<EventsPage>("/events?limit=7")).flatMap(idsOf)).toEqual(everything);
  });

  it("does not show an event twice when others come in between two pages", async () => {
    const source = "/tests/between";
    const ids: string[] = [];
    for (let n = 0; n < 6; n++)
      ids.push((await publish({ id: `before-${n}`, subject: `${n}`, source, type: UNMATCHED })).id);
    const first = await admin<EventsPage>(`/events?source=${source}&limit=3`);
    for (let n = 0; n < 6; n++) await publish({ id: `between-${n}`, subject: `${n}`, source, type: UNMATCHED });
    const rest = await pages<EventsPage>(`/events?source=${source}&limit=3`, first.next);
    expect([...idsOf(first), ...rest.flatMap(idsOf)].toSorted()).toEqual(ids.toSorted());
  });

  it("filters by type, prefix of a type, source attribute, source name, id, and by several at once", async () => {
    const orders = await publish({ id: "filter-1", source: "/shop/7", type: "org.filters.order.made" });
    const refund = await publish({ id: "filter-2", source: "/shop/7", type: "org.filters.refund" });
    const other = await publish({ id: "filter-1", source: "/shop/8", type: "org.filters.order.made" });
    const github = receiptOf(await send("/webhooks/github", githubCall("ping", '{"zen":"x"}')));
    const find = async (query: string) => idsOf(await admin<EventsPage>(`/events?${query}`)).toSorted();
    const these = (...receipts: readonly Receipt[]) => receipts.map((receipt) => receipt.id).toSorted();
    expect(await find("type=org.filters.order.made")).toEqual(these(orders, other));
    expect(await find("type=org.filters.*")).toEqual(these(orders, refund, other));
    expect(await find("type=org.filters")).toEqual([]);
    expect(await find("source=/shop/7")).toEqual(these(orders, refund));
    expect(await find("source=github")).toEqual(these(github));
    expect(await find("id=filter-1")).toEqual(these(orders, other));
    expect(await find("id=filter-1&source=/shop/8&type=org.filters.*")).toEqual(these(other));
    expect(await find("id=filter-1&source=github")).toEqual([]);
  });

  it("filters by time of acceptance, from since up to but not including until", async () => {
    const first = await publish({ id: "time-1", source: "/tests/time", type: UNMATCHED });
    await scheduler.wait(5);
    const second = await publish({ id: "time-2", source: "/tests/time", type: UNMATCHED });
    const { acceptedAt } = await eventById(second.id);
    const find = async (query: string) => idsOf(await admin<EventsPage>(`/events?source=/tests/time&${query}`));
    const justAfter = new Date(Date.parse(acceptedAt) + 1).toISOString();
    expect(await find(`since=${acceptedAt}`)).toEqual([second.id]);
    expect(await find(`since=${justAfter}`)).toEqual([]);
    expect(await find(`until=${acceptedAt}`)).toEqual([first.id]);
    expect(await find(`until=${justAfter}`)).toEqual([second.id, first.id]);
    expect(await find(`since=${acceptedAt}&until=${acceptedAt}`)).toEqual([]);
    const paged = await pages<EventsPage>(`/events?source=/tests/time&until=${justAfter}&limit=1`);
    expect(paged.flatMap(idsOf)).toEqual([second.id, first.id]);
  });

  it("filters by status: one of each", async () => {
    const source = "/tests/status";
    const unmatched = await publish({ id: "status-unmatched", source, type: UNMATCHED });
    const delivered = await publish({ id: "status-delivered", source });
    await eventWithStatus(delivered.id, "delivered");
    const dead = await publishDead({ id: "status-dead", source });
    targetAnswer = () => new Response("later", { status: 503, headers: { "retry-after": "3600" } });
    const pending = await publish({ id: "status-pending", source });
    await vi.waitFor(async () => expect((await eventById(pending.id)).deliveries[0]?.attemptCount).toBe(1));
    const cancelled = await acceptFor("default/removed-since", "status-cancelled", source, 0);
    await eventWithStatus(cancelled, "cancelled");
    for (const [status, id] of Object.entries({
      unmatched: unmatched.id,
      delivered: delivered.id,
      dead: dead.id,
      pending: pending.id,
      cancelled,
    })) {
      expect(idsOf(await admin<EventsPage>(`/events?source=${source}&status=${status}`))).toEqual([id]);
    }
    expect((await eventById(cancelled)).deliveries).toMatchObject([{ state: "cancelled", reason: "rule-removed" }]);
    const [waiting] = (await eventById(pending.id)).deliveries as readonly (ShownDelivery & { dueAt: string })[];
    expect(waiting?.state).toBe("waiting");
    expect(Date.parse(waiting?.dueAt ?? "")).toBeGreaterThan(Date.now() + 3_500_000);
  });

  it("answers at most 200 events a page, and 50 when nothing is said", async () => {
    for (let batch = 0; batch < 3; batch++) {
      const fields = (n: number) => ({
        id: `many-${batch}-${n}`,
        subject: `${n % 7}`,
        source: "/tests/many",
        type: UNMATCHED,
      });
      const answer = await send("/events", batchCall(Array.from({ length: 70 }, (_, n) => eventOf(fields(n)))));
      expect(answer.status).toBe(202);
    }
    const sizeOf = async (query: string) =>
      (await admin<EventsPage>(`/events?source=/tests/many${query}`)).events.length;
    expect(await sizeOf("")).toBe(PAGE_EVENTS);
    expect(await sizeOf(`&limit=${PAGE_EVENTS_MAX}`)).toBe(PAGE_EVENTS_MAX);
    const all = await pages<EventsPage>("/events?source=/tests/many&limit=200");
    expect(new Set(all.flatMap(idsOf)).size).toBe(210);
  });
});

describe("the log", () => {
  it("pages through whole events of all partitions, newest first, with their data as received", async () => {
    const data = '{ "n": 1.50, "id": 12345678901234567890 }';
    const receipts: Receipt[] = [];
    for (let n = 0; n < 5; n++) {
      const { data: _none, ...fields } = eventOf({
        id: `log-${n}`,
        source: `/tests/log/${n}`,
        type: "com.example.log",
      });
      const body = `${JSON.stringify(fields).slice(0, -1)},"data":${data}}`;
      receipts.push(receiptOf(await send("/events", { ...structuredCall(fields), body })));
    }
    const shown: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const answer = await get(`/log?type=com.example.log&limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      expect(answer.status).toBe(200);
      const page = answer.json as { events: { id: string; bus: string }[]; next: string | null };
      expect(page.events.length).toBeLessThanOrEqual(2);
      expect(answer.text.split(`"data":${data}`)).toHaveLength(page.events.length + 1);
      shown.push(...page.events.map(({ id, bus }) => `${bus} ${id}`));
      cursor = page.next;
    }
    expect(shown).toEqual(receipts.map(({ id }) => `default ${id}`).toReversed());
  });
});

/** Puts an event straight into a partition, for a rule of this name, and answers its receipt. */
async function acceptFor(rule: string, id: string, source: string, leasesMax: number, token = id): Promise<string> {
  const name = partitionName("default", 4, 0);
  const delivery = {
    id: deliveryId(id, rule, "printer", 0, hashing.sha256),
    rule,
    target: "printer",
    timeoutMs: 15_000,
    maxAgeMs: DAY_MS,
  };
  const event = {
    attributes: { specversion: "1.0", id, source, type: "com.example.order.placed" },
    body: null,
    source: "events",
    bus: "default",
    rawHeaders: {},
    rules: [rule],
    rulesVersion: { hash: "rules-0", deployedAt: 0 },
    key: source,
  } as const;
  const fingerprint = { scope: "", hash: "1:x" };
  const item = { identity: hashing.sha256(id), fingerprint, event, deliveries: [delivery], redeliver: false };
  const layout = { partitions: 1, deployedAt: 0 };
  const reply = await partition(name).accept({ partition: name, token, items: [item], leasesMax, layout });
  return formatReceipt({ partition: name, seq: reply.kind === "accepted" ? (reply.items[0]?.seq ?? 0) : 0 });
}

describe("one event", () => {
  it("is shown with its data, its deliveries and their attempts", async () => {
    targetAnswer = ({ body }) =>
      body.includes("Hello-World is at") ? new Response("no", { status: 404 }) : new Response("thanks");
    const receipt = receiptOf(await send("/webhooks/github", githubCall("push", pushOf(6_001))));
    const event = await eventWithStatus(receipt.id, "dead");
    expect(event).toMatchObject({
      id: receipt.id,
      from: "github",
      bus: "default",
      rules: ["default/deploy-on-main", "default/push"],
      event: { specversion: "1.0", type: "com.github.push", data: JSON.parse(pushOf(6_001)) },
    });
    expect(event.deliveries).toEqual([
      {
        delivery: expect.stringMatching(/^dlv_[\w-]{24}$/),
        rule: "default/deploy-on-main",
        target: "ci",
        state: "dead",
        reason: "status",
        detail: "the target answered 404",
        endedAt: expect.any(String),
        attemptCount: 1,
        attempts: [
          {
            startedAt: expect.any(String),
            durationMs: expect.any(Number),
            outcome: "permanent",
            reason: "status",
            detail: "the target answered 404",
            answer: { status: 404, body: "no" },
            rules: rules.version,
          },
        ],
      },
      {
        delivery: expect.stringMatching(/^dlv_[\w-]{24}$/),
        rule: "default/push",
        target: "printer",
        state: "delivered",
        endedAt: expect.any(String),
        attemptCount: 1,
        attempts: [
          {
            startedAt: expect.any(String),
            durationMs: expect.any(Number),
            outcome: "delivered",
            answer: { status: 200, body: "thanks" },
            rules: rules.version,
          },
        ],
      },
    ]);
    expect(new Set(sent.map((request) => request.headers.get("webhook-id")))).toEqual(
      new Set(event.deliveries.map((delivery) => delivery.delivery)),
    );
  });

  it("is shown with binary data as Base64, and without data when it has none", async () => {
    const binary = await publish({
      id: "binary",
      datacontenttype: "image/png",
      data_base64: "iVBORw0KGgo=",
      type: UNMATCHED,
    });
    const none = await publish({ id: "no-data", type: UNMATCHED });
    expect((await eventById(binary.id)).event).toMatchObject({ id: "binary", data_base64: "iVBORw0KGgo=" });
    expect(Object.keys((await eventById(none.id)).event).toSorted()).toEqual(["id", "source", "specversion", "type"]);
  });

  it("is not found under a receipt that nobody issued", async () => {
    const known = await publish({ id: "known", type: UNMATCHED });
    const never = formatReceipt({ partition: partitionName("default", 4, 1), seq: seqAtMs(Date.now() + 60_000) });
    for (const id of [never, "evt_", "evt_x", "evt_%00", `${known.id}x`, known.id.slice(4), `evt_${"A".repeat(500)}`]) {
      expect(problemOf(await get(`/events/${id}`))).toBe("404 not-found");
    }
  });

  it("is gone when it is older than the log", async () => {
    const old = formatReceipt({
      partition: partitionName("default", 4, 1),
      seq: seqAtMs(Date.now() - 14 * DAY_MS - 1_000),
    });
    expect(problemOf(await get(`/events/${old}`))).toBe("410 body-evicted");
    const young = formatReceipt({
      partition: partitionName("default", 4, 1),
      seq: seqAtMs(Date.now() - 14 * DAY_MS + 60_000),
    });
    expect(problemOf(await get(`/events/${young}`))).toBe("404 not-found");
  });
});

describe("dead deliveries", () => {
  it("are listed with their event and the reason, page by page, each once", async () => {
    const source = "/tests/dead";
    const receipts: Receipt[] = [];
    for (let n = 0; n < 5; n++) receipts.push(await publishDead({ id: `dead-${n}`, subject: `${n}`, source }));
    await eventWithStatus((await publish({ id: "alive", source })).id, "delivered");
    const { deliveries } = await admin<DeadPage>(`/deliveries?state=dead&source=${source}`);
    expect(deliveries.map((each) => each.event.id).toSorted()).toEqual(receipts.map((each) => each.id).toSorted());
    expect(deliveries[0]).toMatchObject({
      event: { status: "dead", from: "events", event: { source } },
      rule: "default/order-placed",
      target: "printer",
      state: "dead",
      reason: "status",
      detail: "the target answered 422",
      attemptCount: 1,
      // The answer's text is with the event itself: a page of lists would be too large with it.
      attempts: [{ outcome: "permanent", answer: { status: 422 } }],
    });
    const whole = await admin<ShownEvent>(`/events/${deliveries[0]?.event.id ?? ""}`);
    expect(whole.deliveries[0]?.attempts).toMatchObject([{ answer: { status: 422, body: "no such thing" } }]);
    const paged = await pages<DeadPage>(`/deliveries?state=dead&source=${source}&limit=2`);
    expect(paged.flatMap((page) => page.deliveries)).toEqual(deliveries);
  });

  it("are filtered by rule and by target, and only they are shown of an event that has others", async () => {
    targetAnswer = ({ body }) => new Response("", { status: body.includes("Hello-World is at") ? 404 : 200 });
    const receipt = receiptOf(await send("/webhooks/github", githubCall("push", pushOf(6_002))));
    await eventWithStatus(receipt.id, "dead");
    const find = async (query: string) =>
      (await admin<DeadPage>(`/deliveries?state=dead&source=github&${query}`)).deliveries
        .filter((each) => each.event.id === receipt.id)
        .map((each) => each.rule);
    expect(await find("limit=200")).toEqual(["default/deploy-on-main"]);
    expect(await find("rule=default/deploy-on-main&target=ci")).toEqual(["default/deploy-on-main"]);
    expect(await find("rule=default/push")).toEqual([]);
    expect(await find("target=nobody")).toEqual([]);
  });

  it("are the only ones that can be listed", async () => {
    for (const query of ["", "?state=", "?state=waiting", "?state=DEAD"]) {
      expect(problemOf(await get(`/deliveries${query}`))).toBe("400 invalid-query");
    }
  });
});

describe("re-driving", () => {
  it("opens a dead delivery again and delivers it under its old id once the target is repaired", async () => {
    const receipt = await publishDead({ id: "repaired", data: { n: 1 } });
    expect(await redriven({ event: receipt.id })).toEqual({
      redriven: 1,
      results: [{ event: receipt.id, redriven: 1 }],
    });
    const event = await eventWithStatus(receipt.id, "delivered");
    expect(event.deliveries[0]?.attempts.map((attempt) => attempt["outcome"])).toEqual(["permanent", "delivered"]);
    expect(sent.map((request) => request.headers.get("webhook-id"))).toEqual([
      event.deliveries[0]?.delivery,
      event.deliveries[0]?.delivery,
    ]);
    expect(sent.map((request) => request.body)).toEqual(['{"n":1}', '{"n":1}']);
    const { deliveries } = await admin<DeadPage>("/deliveries?state=dead&id=repaired");
    expect(deliveries).toEqual([]);
    // It has been delivered: a second re-drive has nothing to do.
    const again = await redrive({ event: receipt.id });
    expect(again.status).toBe(404);
    expect(again.json).toMatchObject({ redriven: 0, results: [{ problem: "nothing-dead" }] });
    expect(sent).toHaveLength(2);
  });

  it("opens one delivery of an event and leaves its other dead ones alone", async () => {
    targetAnswer = () => new Response("", { status: 400 });
    const receipt = receiptOf(await send("/webhooks/github", githubCall("push", pushOf(6_003))));
    const { deliveries } = await eventWithStatus(receipt.id, "dead");
    expect(deliveries.map((each) => each.state)).toEqual(["dead", "dead"]);
    targetAnswer = () => new Response("ok");
    const [deploy, push] = deliveries.map((each) => each.delivery);
    expect((await redriven({ event: receipt.id, delivery: push })).redriven).toBe(1);
    await vi.waitFor(async () => {
      const states = (await eventById(receipt.id)).deliveries.map((each) => each.state);
      expect(states).toEqual(["dead", "delivered"]);
    });
    expect((await redrive({ event: receipt.id, delivery: "dlv_unknown" })).status).toBe(404);
    expect((await redriven({ event: receipt.id })).redriven).toBe(1);
    await eventWithStatus(receipt.id, "delivered");
    expect(sent.slice(2).map((request) => request.headers.get("webhook-id"))).toEqual([push, deploy]);
  });

  it("opens many at once and says of each what became of it", async () => {
    const dead = [
      await publishDead({ id: "many-1", subject: "a" }),
      await publishDead({ id: "many-2", subject: "b" }),
      await publishDead({ id: "many-3", subject: "c" }),
    ];
    const alive = await publish({ id: "many-4" });
    await eventWithStatus(alive.id, "delivered");
    const never = formatReceipt({ partition: partitionName("default", 4, 2), seq: seqAtMs(Date.now() + 60_000) });
    const old = formatReceipt({ partition: partitionName("default", 4, 2), seq: seqAtMs(Date.now() - 15 * DAY_MS) });
    const events = [...dead.map((receipt) => receipt.id), alive.id, never, old, "no-receipt"];
    expect(await redriven({ items: events.map((event) => ({ event })) })).toEqual({
      redriven: 3,
      results: [
        ...dead.map((receipt) => ({ event: receipt.id, redriven: 1 })),
        { event: alive.id, redriven: 0, problem: "nothing-dead" },
        { event: never, redriven: 0, problem: "unknown-event" },
        { event: old, redriven: 0, problem: "body-evicted" },
        { event: "no-receipt", redriven: 0, problem: "unknown-event" },
      ],
    });
    for (const receipt of dead) await eventWithStatus(receipt.id, "delivered");
  });

  it("takes up to 100 events", async () => {
    const item = { event: "no-receipt" };
    const atLimit = await redrive({ items: Array.from({ length: REDRIVE_EVENTS_MAX }, () => item) });
    expect(atLimit.status).toBe(404);
    expect((atLimit.json as Redriven).results).toHaveLength(REDRIVE_EVENTS_MAX);
    const over = await redrive({ items: Array.from({ length: REDRIVE_EVENTS_MAX + 1 }, () => item) });
    expect(problemOf(over)).toBe("400 invalid-request");
  });

  it("takes a body up to its limit in bytes", async () => {
    const bodyOf = (bytes: number) => `{"event":"${"x".repeat(bytes - 12)}"}`;
    expect((await redrive(bodyOf(REDRIVE_BODY_BYTES_MAX))).status).toBe(404);
    expect(problemOf(await redrive(bodyOf(REDRIVE_BODY_BYTES_MAX + 1)))).toBe("413 body-too-large");
    expect(problemOf(await redrive(`{"event":"${"é".repeat(REDRIVE_BODY_BYTES_MAX / 2)}"}`))).toBe(
      "413 body-too-large",
    );
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["no object", "[]"],
    ["null", "null"],
    ["an object without an event", {}],
    ["an event that is no text", { event: 5 }],
    ["a delivery that is no text", { event: "evt_x", delivery: null }],
    ["a misspelt delivery, which would open all of them", { event: "evt_x", deliveries: "dlv_x" }],
    ["items that are no list", { items: "evt_x" }],
    ["no items", { items: [] }],
    ["an item that is no object", { items: ["evt_x"] }],
    ["a bad item behind a good one", { items: [{ event: "evt_x" }, {}] }],
    ["items and an event", { items: [{ event: "evt_x" }], event: "evt_y" }],
    ["an inherited member", '{"__proto__":{"event":"evt_x"}}'],
    ["JSON that is too deep", `{"items":${"[".repeat(1_000)}${"]".repeat(1_000)}}`],
  ])("refuses %s", async (_what, body) => expect(problemOf(await redrive(body))).toBe("400 invalid-request"));

  it("changes nothing when one item is malformed", async () => {
    const receipt = await publishDead({ id: "all-or-nothing" });
    expect(problemOf(await redrive({ items: [{ event: receipt.id }, { event: 5 }] }))).toBe("400 invalid-request");
    expect(await eventById(receipt.id)).toMatchObject({ status: "dead" });
  });

  it("is asked for by POST only", async () => {
    expect(problemOf(await get("/redrive"))).toBe("404 not-found");
  });
});

describe("rules and refusals", () => {
  it("shows the rules that run, sources and targets by name and kind, and no setting of them", async () => {
    const shown = await admin<Record<string, unknown>>("/rules");
    expect(shown).toEqual({
      version: rules.version,
      deployedAt: expect.stringMatching(/Z$/),
      rules: rules.rules,
      sources: [
        { name: "events", kind: "cloudevents", bus: "default" },
        { name: "github", kind: "github", bus: "default" },
      ],
      targets: ["audit", "chat", "ci", "printer", "security", "website"].map((name) => ({
        name,
        kind: "http",
        hash: expect.stringMatching(/^[0-9a-f]{12}$/),
        ...(name === "chat" ? { limits: { rate: { limit: 1, periodMs: 1_000, burst: 5 } } } : {}),
      })),
    });
  });

  it("shows refused requests, the newest first, as many as asked for", async () => {
    await send("/webhooks/github", githubCall("ping", "{}", { "x-github-event": "No Name" }));
    await vi.waitFor(
      async () => {
        const { rejections } = await admin<{ rejections: readonly unknown[] }>("/rejections");
        expect(rejections[0]).toEqual({
          at: expect.stringMatching(/Z$/),
          source: "github",
          reason: "invalid-header",
          count: 1,
          detail: expect.stringContaining("X-GitHub-Event"),
        });
      },
      { timeout: 5_000, interval: 100 },
    );
    await send("/webhooks/nobody", githubCall("ping", "{}"));
    await vi.waitFor(
      async () => {
        const { rejections } = await admin<{ rejections: readonly unknown[] }>("/rejections?limit=1");
        expect(rejections).toMatchObject([{ source: "(unknown)", reason: "unknown-source" }]);
      },
      { timeout: 5_000, interval: 100 },
    );
  });

  it("answers 404 to a route that there is not", async () => {
    const answer = await get("/nothing-here");
    expect(problemOf(answer)).toBe("404 not-found");
    expect(answer.text).toContain("No such admin route");
    expect(problemOf(await send("/api/events", { method: "DELETE", headers: adminToken() }))).toBe("404 not-found");
  });
});

describe("parameters", () => {
  const bad = [
    "limit=0",
    "limit=-1",
    `limit=${PAGE_EVENTS_MAX + 1}`,
    "limit=1.5",
    "limit=1e2",
    "limit=",
    "limit=ten",
    "limit=00001",
  ];
  const badSearch = [
    ...bad,
    "cursor=",
    "cursor=abc",
    "cursor=abc.def.ghi",
    "cursor=zzzzzzzzzzz.0",
    "status=Dead",
    "status=",
    "since=yesterday",
    "until=",
    "since=2026-13-01T00:00:00Z",
    `type=${"t".repeat(PARAMETER_CHARACTERS_MAX + 1)}`,
    "type=a&type=b",
    "typ=com.example",
    "Type=com.example",
    "__proto__=x",
    "constructor=x",
  ];

  it.each(badSearch)("refuses %s in a list of events or of deliveries", async (query) => {
    expect(problemOf(await get(`/events?${query}`))).toBe("400 invalid-query");
    expect(problemOf(await get(`/deliveries?state=dead&${query}`))).toBe("400 invalid-query");
  });

  it.each([...bad, "type=com.example", "limit=1&limit=2"])("refuses %s in the list of refusals", async (query) =>
    expect(problemOf(await get(`/rejections?${query}`))).toBe("400 invalid-query"),
  );

  it("refuses any parameter where none is known", async () => {
    const { id } = await publish({ id: "parameters", type: UNMATCHED });
    for (const path of [`/events/${id}`, "/rules"]) {
      expect(problemOf(await get(`${path}?limit=1`))).toBe("400 invalid-query");
      expect((await get(path)).status).toBe(200);
    }
    const answer = await send("/api/redrive?all=true", { headers: adminToken(), body: '{"event":"evt_x"}' });
    expect(problemOf(answer)).toBe("400 invalid-query");
    expect(problemOf(await get("/events?state=dead"))).toBe("400 invalid-query");
    expect(problemOf(await get("/events?rule=default/push"))).toBe("400 invalid-query");
  });

  it("takes each parameter up to its limit, and shows no more than a piece of an unknown name", async () => {
    const long = "t".repeat(PARAMETER_CHARACTERS_MAX);
    expect((await admin<EventsPage>(`/events?type=${long}&id=${long}`)).events).toEqual([]);
    expect((await get(`/events?${"n".repeat(5_000)}=1`)).text.length).toBeLessThan(400);
  });

  it("answers with nothing to a cursor from before all events", async () => {
    expect(await admin<EventsPage>("/events?cursor=0.0")).toEqual({ events: [], next: null });
  });
});

describe("secrets", () => {
  it("stand in no answer: no lease token, no signature, no secret, not even when a target sends them back", async () => {
    const { PRINTER_SIGNING_SECRET, CI_SIGNING_SECRET } = env;
    targetAnswer = ({ headers, url }) => {
      const secret = url.startsWith("https://ci.") ? CI_SIGNING_SECRET : PRINTER_SIGNING_SECRET;
      return new Response(`you sent ${headers.get("webhook-signature")} ${secret}`, { status: 400 });
    };
    const receipt = receiptOf(await send("/webhooks/github", githubCall("push", pushOf(6_004))));
    await eventWithStatus(receipt.id, "dead");
    const signatures = sent.map((request) => request.headers.get("webhook-signature") ?? "");
    expect(signatures).toHaveLength(2);
    expect(signatures.every((signature) => signature.startsWith("v1,"))).toBe(true);
    const leased = await acceptFor("default/push", "leased", "/tests/secrets", 6, "lease-token-in-use");
    expect(await eventById(leased)).toMatchObject({ status: "pending", deliveries: [{ state: "leased" }] });

    const answers = await Promise.all(
      [
        "/events?limit=200",
        `/events/${receipt.id}`,
        `/events/${leased}`,
        "/deliveries?state=dead&limit=200",
        "/rejections?limit=200",
        "/rules",
      ].map((path) => get(path)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    const text = answers.map((answer) => answer.text).join("\n");
    expect(text).toContain(receipt.id);
    expect(text).toContain(leased);
    const own = [env.GITHUB_WEBHOOK_SECRET, env.INGEST_TOKEN, env.ADMIN_TOKEN];
    const secrets = [...own, PRINTER_SIGNING_SECRET, CI_SIGNING_SECRET];
    for (const secret of [...secrets, ...signatures, "lease-token-in-use", '"token"', "x-hub-signature"]) {
      expect(text.includes(secret), secret).toBe(false);
    }
  });
});
