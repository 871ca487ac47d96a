/**
 * The load of the benches, a process of its own: so many connections that each send a request, wait for its answer and send the
 * next, from bytes that are ready before the clock starts. Raw sockets, because Node's HTTP client takes as long per request as
 * the server under test. The parent says over IPC what to do.
 */
import { connect } from "node:net";
import type { EventWriter } from "./bench-events.ts";
import { createEventWriter } from "./bench-events.ts";

export interface LoadOrder {
  readonly url: string;
  readonly path: string;
  readonly secret: string;
  readonly run: string;
  readonly senders: number;
  readonly seconds: number;
  /** The number of the first event; `eventsMax` signatures are computed, and the load ends when they are used up. */
  readonly first: number;
  readonly eventsMax: number;
}

export interface LoadResult {
  readonly accepted: number;
  /** Answers other than 2xx, by status. */
  readonly refused: Readonly<Record<string, number>>;
  /** Events sent and answered or not; the next load starts after them. */
  readonly sent: number;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** CPU time of this process while it sent. */
  readonly cpuUs: number;
  /** How long each acceptance took, in milliseconds, sorted. */
  readonly latenciesMs: readonly number[];
  /** The first answer that was not 2xx, or the first failure of a connection. */
  readonly problem: string | undefined;
}

const HEAD_END = "\r\n\r\n";
const CONTENT_LENGTH = /\r\ncontent-length: ?(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: ?chunked/i;
const PROBLEM_CHARS_MAX = 300;

process.on("message", (order: LoadOrder) => {
  const { host } = new URL(order.url);
  const writer = createEventWriter({ ...order, host, count: order.eventsMax });
  process.send?.("ready");
  void runLoad(order, writer).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));

async function runLoad(order: LoadOrder, writer: EventWriter): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  const refused: Record<string, number> = {};
  let accepted = 0;
  let sent = 0;
  let problem: string | undefined;
  const cpuBefore = process.cpuUsage();
  const startedAt = Date.now();
  const stopAt = startedAt + order.seconds * 1_000;
  await Promise.all(Array.from({ length: order.senders }, () => runConnection()));
  const { user, system } = process.cpuUsage(cpuBefore);
  const endedAt = Date.now();
  latenciesMs.sort((a, b) => a - b);
  return { accepted, refused, sent, startedAt, endedAt, cpuUs: user + system, latenciesMs, problem };

  function runConnection(): Promise<void> {
    const { hostname, port } = new URL(order.url);
    const buffer = Buffer.alloc(writer.bytesMax);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let sentAt = 0;
    let answer = "";
    return new Promise((resolve) => {
      socket.on("connect", sendNext);
      socket.on("data", (chunk) => {
        answer += chunk.toString("latin1");
        if (!isWhole(answer)) return;
        latenciesMs.push(performance.now() - sentAt);
        const status = answer.slice(9, 12);
        if (status.startsWith("2")) accepted += 1;
        else {
          refused[status] = (refused[status] ?? 0) + 1;
          problem ??= answer.slice(0, PROBLEM_CHARS_MAX);
        }
        answer = "";
        sendNext();
      });
      socket.on("error", (error) => {
        problem ??= String(error);
        resolve();
      });
      socket.on("close", () => resolve());

      function sendNext(): void {
        if (Date.now() >= stopAt || sent >= order.eventsMax) {
          socket.end();
          resolve();
          return;
        }
        const length = writer.write(order.first + sent, buffer);
        sent += 1;
        sentAt = performance.now();
        socket.write(buffer.subarray(0, length));
      }
    });
  }
}

/** Whether an answer has all its bytes. */
function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf(HEAD_END);
  if (headEnd === -1) return false;
  const head = answer.slice(0, headEnd);
  if (CHUNKED.test(head)) return answer.endsWith("\r\n0\r\n\r\n");
  return answer.length >= headEnd + HEAD_END.length + Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
}
