/**
 * Slow, endless and swollen, on real connections: senders that never finish, targets that never stop. Each is bounded in time
 * and in memory, and everybody else is served meanwhile.
 */
import { readFileSync, readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BODY_BYTES_MAX, BODY_TIMEOUT_MS } from "../../src/http/body.ts";
import { ANSWER_BYTES_MAX } from "../../src/targets/_answer.ts";
import type { Responder, TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import type { RouterProcess, Workspace } from "../support/router-process.ts";
import { admin, createWorkspace, SECRETS, sendGithub, waitFor } from "../support/router-process.ts";

interface ShownEvent {
  readonly status: string;
  readonly deliveries: readonly {
    readonly target: string;
    readonly state: string;
    readonly reason?: string;
    readonly endedAt?: string;
    readonly attempts: readonly {
      readonly startedAt: string;
      readonly outcome: string;
      readonly reason?: string;
      readonly detail?: string;
      readonly durationMs: number;
      readonly answer?: { readonly status: number; readonly body?: string };
    }[];
  }[];
}

const TARGET_TIMEOUT_MS = 2_000;
const SLOW_SENDERS = 24;
const PART_EVERY_MS = 100;
const BOMB_BYTES = 64 * 1_048_576;
const BOMB = gzipSync(Buffer.alloc(BOMB_BYTES, "x"));

/** Writes for as long as somebody reads, as fast as they do. */
function writeForEver(
  write: (part: string) => boolean,
  socket: NodeJS.EventEmitter & { destroyed: boolean },
  part: string,
) {
  const go = (): void => {
    while (!socket.destroyed && write(part));
  };
  socket.on("drain", go);
  socket.on("error", () => {});
  go();
}

const ANSWERS: Readonly<Record<string, Responder>> = {
  steady: (response) => response.writeHead(204).end(),
  silent: () => {},
  drips: (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("x"), PART_EVERY_MS);
    response.once("close", () => clearInterval(timer));
  },
  "drips-reply": (response) => {
    response.writeHead(200, { "content-type": "application/cloudevents+json" });
    const timer = setInterval(() => response.write(" "), PART_EVERY_MS);
    response.once("close", () => clearInterval(timer));
  },
  endless: (response) => {
    response.writeHead(200);
    writeForEver((part) => response.write(part), response, "x".repeat(65_536));
  },
  "endless-reply": (response) => {
    response.writeHead(200, { "content-type": "application/cloudevents+json" });
    writeForEver((part) => response.write(part), response, "x".repeat(65_536));
  },
  "endless-failure": (response) => {
    response.writeHead(500);
    writeForEver((part) => response.write(part), response, "x".repeat(65_536));
  },
  bomb: (response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(BOMB);
  },
  "bomb-reply": (response) => {
    const headers = { "content-encoding": "gzip", "content-type": "application/cloudevents+json" };
    response.writeHead(200, headers).end(BOMB);
  },
  "bomb-failure": (response) => {
    response.writeHead(500, { "content-encoding": "gzip" }).end(BOMB);
  },
  "broken-gzip": (response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end("this is no gzip");
  },
};
const NAMES = [...Object.keys(ANSWERS), "endless-headers", "dripping-headers"];

let workspace: Workspace;
let router: RouterProcess;
const servers = new Map<string, TestServer>();
const rawServers: { readonly url: string; readonly close: () => Promise<void> }[] = [];

/** A server below HTTP: does what it likes with a connection. */
async function startRaw(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    // Not before it is asked: an answer to nothing is no answer.
    socket.once("data", () => serve(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  rawServers.push({
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  });
  return url;
}

beforeAll(async () => {
  const urls: Record<string, string> = {};
  for (const [name, respond] of Object.entries(ANSWERS)) {
    const server = await startServer(respond);
    servers.set(name, server);
    urls[name] = server.url;
  }
  urls["endless-headers"] = await startRaw((socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    writeForEver((part) => socket.write(part), socket, `x-${"y".repeat(1_000)}: ${"z".repeat(7_000)}\r\n`);
  });
  urls["dripping-headers"] = await startRaw((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nx-drip: ");
    const timer = setInterval(() => socket.write("x"), PART_EVERY_MS);
    socket.once("close", () => clearInterval(timer));
  });
  workspace = await createWorkspace();
  await workspace.writeRules({
    "sources.yaml": `
github: { kind: github, secrets: [GITHUB_WEBHOOK_SECRET] }
events: { kind: cloudevents, auth: { bearer: [INGEST_TOKEN] } }
`,
    "targets.yaml": NAMES.map(
      (name) => `${name}: { http: "${urls[name]}", timeout: ${TARGET_TIMEOUT_MS / 1_000}s, retry: [1s] }\n`,
    ).join(""),
    "default/github.yaml": "pattern: { type: [{ prefix: com.github. }] }\ntargets: [steady]\n",
    ...Object.fromEntries(
      NAMES.map((name) => [
        `default/${name}.yaml`,
        `pattern: { type: [com.example.${name}] }\ntargets: [${name}, ${name === "steady" ? "silent" : "steady"}]\n`,
      ]),
    ),
  });
  router = await workspace.start();
}, 60_000);

afterAll(async () => {
  await workspace.remove();
  await Promise.all([...servers.values(), ...rawServers].map((server) => server.close()));
});

let ids = 0;

async function send(type: string): Promise<string> {
  const id = `hostile-${++ids}`;
  const headers = {
    authorization: `Bearer ${SECRETS.INGEST_TOKEN}`,
    "ce-specversion": "1.0",
    "ce-id": id,
    "ce-source": `/tests/${id}`,
    "ce-type": `com.example.${type}`,
  };
  const response = await fetch(`${router.url}/events`, { method: "POST", headers, body: "text" });
  expect(response.status).toBe(202);
  return ((await response.json()) as { readonly id: string }).id;
}

const eventOf = (id: string) => admin<ShownEvent>(router.url, `events/${id}`);

const ended = async (id: string, what = "an event") =>
  waitFor(`the end of ${what}, ${id}`, async () => {
    const event = await eventOf(id);
    return event.status === "pending" ? undefined : event;
  });

const deliveryTo = (event: ShownEvent, target: string) =>
  event.deliveries.find((delivery) => delivery.target === target);

interface RawAnswer {
  readonly text: string;
  /** From the connection's begin to its end. */
  readonly afterMs: number;
}

/** Sends a head, then parts of a body one by one, and reads what comes back until the other side closes. */
function sendRaw(head: string, part: string | Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(router.url);
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = connect(Number(port), hostname, () => socket.write(head));
    const timer = setInterval(() => socket.write(part), PART_EVERY_MS);
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.on("error", () => {});
    socket.once("close", () => {
      clearInterval(timer);
      resolve({ text, afterMs: performance.now() - startedAt });
    });
  });
}

const POST = "POST /webhooks/github HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

describe("a sender that never finishes its body", () => {
  it("is answered 408 within the limit and let go, and others are served meanwhile", async () => {
    const heads = [`${POST}content-length: 100000\r\n\r\n{`, `${POST}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`];
    const slow = Array.from({ length: SLOW_SENDERS }, (_, at) =>
      sendRaw(heads[at % 2] ?? "", at % 2 === 0 ? " " : "1\r\n \r\n"),
    );
    let isOver = false;
    const all = Promise.all(slow).finally(() => (isOver = true));
    let served = 0;
    while (!isOver) {
      const startedAt = performance.now();
      const response = await sendGithub(router.url, { event: "ping", body: "{}" });
      expect(response.status).toBe(202);
      expect(performance.now() - startedAt).toBeLessThan(BODY_TIMEOUT_MS / 2);
      served += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(served).toBeGreaterThan(5);
    for (const { text, afterMs } of await all) {
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toContain("urn:sluice:problem:body-timeout");
      expect(afterMs).toBeGreaterThanOrEqual(BODY_TIMEOUT_MS - 500);
      expect(afterMs).toBeLessThan(2 * BODY_TIMEOUT_MS);
    }
  }, 30_000);
});

describe("a request that is too much", () => {
  it.each([
    ["compressed", { "content-encoding": "gzip" }, BOMB, 415, "unsupported-content-encoding"],
    ["compressed twice", { "content-encoding": "gzip, gzip" }, gzipSync(BOMB), 415, "unsupported-content-encoding"],
    ["large and not signed", {}, Buffer.alloc(BODY_BYTES_MAX + 1), 401, "missing-signature"],
  ] as const)("because it is %s is refused", async (_name, headers, body, status, problem) => {
    const all = { "content-type": "application/json", ...headers };
    const response = await fetch(`${router.url}/webhooks/github`, { method: "POST", headers: all, body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: `urn:sluice:problem:${problem}` });
  });

  it("of header bytes by the thousand is answered or cut off, and the next one is served", async () => {
    const { hostname, port } = new URL(router.url);
    for (const bytes of [4_000, 60_000, 500_000, 4_000_000]) {
      const lines = `x-filler: ${"y".repeat(990)}\r\n`.repeat(bytes / 1_000);
      const text = await new Promise<string>((resolve) => {
        let received = "";
        const socket = connect(Number(port), hostname, () =>
          socket.write(`${POST}content-length: 2\r\n${lines}\r\n{}`),
        );
        socket.setEncoding("utf8").on("data", (chunk: string) => {
          received += chunk;
          socket.end();
        });
        socket.on("error", () => {});
        socket.once("close", () => resolve(received));
      });
      expect(text).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
      if (bytes === 4_000) expect(text).toMatch(/^HTTP\/1\.1 401 /);
      expect((await sendGithub(router.url, { event: "ping", body: "{}" })).status).toBe(202);
    }
  }, 30_000);
});

describe("a target that never stops", () => {
  it.each(["silent", "drips", "drips-reply", "dripping-headers"])(
    "%s: times out and is tried again, its connections are let go, and another target of the event does not wait",
    async (name) => {
      const receipts = await Promise.all(Array.from({ length: 8 }, () => send(name)));
      for (const receipt of receipts) {
        const event = await waitFor(`the first attempt of ${receipt}`, async () => {
          const found = await eventOf(receipt);
          return found.deliveries.every(({ attempts }) => attempts.length > 0) ? found : undefined;
        });
        const [delivery, other] = [deliveryTo(event, name), deliveryTo(event, "steady")];
        const [first] = delivery?.attempts ?? [];
        expect(first).toMatchObject({ outcome: "retryable", reason: "timeout" });
        const durationMs = first?.durationMs ?? 0;
        expect(durationMs).toBeLessThan(2 * TARGET_TIMEOUT_MS);
        expect(other).toMatchObject({ state: "delivered", attempts: [{ outcome: "delivered" }] });
        expect(Date.parse(other?.endedAt ?? "")).toBeLessThan(Date.parse(first?.startedAt ?? "") + durationMs);
        // Not at once: who is too slow gets a minute.
        expect(delivery).toMatchObject({ state: "waiting", attempts: [first] });
      }
      const server = servers.get(name);
      if (server !== undefined)
        await waitFor("no connection", async () => (await server.connections()) === 0 || undefined);
    },
    60_000,
  );

  it("in its body or its headers is cut off, and what it says takes no more memory than anybody's", async () => {
    await ended(await send("endless"));
    const before = workerdBytes(router.pid);
    const names = [
      "endless",
      "endless-reply",
      "endless-failure",
      "endless-headers",
      "bomb",
      "bomb-reply",
      "bomb-failure",
      "broken-gzip",
    ];
    const receipts = await Promise.all(
      names.flatMap((name) => Array.from({ length: 4 }, async () => ({ name, id: await send(name) }))),
    );
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, workerdBytes(router.pid))), 50);
    const ends = Promise.all(receipts.map(async ({ name, id }) => ({ name, event: await ended(id, name) })));
    const events = await ends.finally(() => clearInterval(watch));
    // Of what these targets were ready to send, gigabytes, nothing stays.

    expect(most / before).toBeLessThan(2);

    const states: Readonly<Record<string, string>> = {
      endless: "delivered",
      "endless-reply": "delivered",
      bomb: "delivered",
      "bomb-reply": "delivered",
    };
    for (const { name, event } of events) {
      expect(deliveryTo(event, "steady")?.state).toBe("delivered");
      const delivery = deliveryTo(event, name);
      expect([name, delivery?.state]).toEqual([name, states[name] ?? "dead"]);
      // Decoded bytes are what is counted and kept: of a bomb, too, just the beginning. Only the last body is kept.
      const kept = (delivery?.attempts ?? []).flatMap(({ answer }) => answer?.body ?? []);
      for (const body of kept) expect(body.length).toBeLessThanOrEqual(ANSWER_BYTES_MAX);
      if (name.endsWith("-failure")) expect(kept).toEqual(["x".repeat(ANSWER_BYTES_MAX)]);
    }
    for (const name of names) {
      const server = servers.get(name);
      if (server !== undefined)
        await waitFor(`no connection to ${name}`, async () => (await server.connections()) === 0 || undefined);
    }
    expect((await sendGithub(router.url, { event: "ping", body: "{}" })).status).toBe(202);
  }, 60_000);
});

/** The memory of workerd, by Linux's account of the processes in the router's group. */
function workerdBytes(group: number): number {
  let bytes = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [, command = "", rest = ""] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
      if (command !== "workerd" || rest.split(" ")[2] !== String(group)) continue;
      bytes += 1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  if (bytes === 0) throw new Error("there is no workerd to look at");
  return bytes;
}
