/**
 * The HTTP target of the benches, a process of its own: a raw TCP server that reads just enough HTTP to tell requests apart,
 * answers each with 200 and counts the distinct `webhook-id`s that arrived. The parent asks over IPC.
 */
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";

export type TargetQuestion = "reset" | "count";

export interface TargetCount {
  /** Distinct webhook ids since the last reset. */
  readonly distinct: number;
  readonly requests: number;
  /** When the last new one arrived, in Unix milliseconds. */
  readonly lastAt: number;
  /** CPU time of this process since it began. */
  readonly cpuUs: number;
}

const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");
const WEBHOOK_ID = /\r\nwebhook-id: ?([^\r]+)/i;
const CONTENT_LENGTH = /\r\ncontent-length: ?(\d+)/i;
const EMPTY = Buffer.alloc(0);

let ids = new Set<string>();
let requests = 0;
let lastAt = 0;

const server = createServer((socket) => serve(socket));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on("message", (question: TargetQuestion) => {
  if (question === "reset") {
    ids = new Set();
    requests = 0;
    lastAt = 0;
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ distinct: ids.size, requests, lastAt, cpuUs: user + system } satisfies TargetCount);
});
process.on("disconnect", () => process.exit(0));

function serve(socket: Socket): void {
  let pending: Buffer = EMPTY;
  /** Bytes of the body that are still to come. */
  let bodyLeft = 0;
  let isChunked = false;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    let data = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    pending = EMPTY;
    while (data.length > 0) {
      if (isChunked) {
        const end = data.indexOf(LAST_CHUNK);
        if (end === -1) {
          pending = data;
          return;
        }
        data = data.subarray(end + LAST_CHUNK.length);
        isChunked = false;
        socket.write(ANSWER);
        continue;
      }
      if (bodyLeft > 0) {
        const read = Math.min(bodyLeft, data.length);
        bodyLeft -= read;
        data = data.subarray(read);
        if (bodyLeft === 0) socket.write(ANSWER);
        continue;
      }
      const headEnd = data.indexOf(HEAD_END);
      if (headEnd === -1) {
        pending = data;
        return;
      }
      const head = data.latin1Slice(0, headEnd);
      note(WEBHOOK_ID.exec(head)?.[1]);
      const length = CONTENT_LENGTH.exec(head)?.[1];
      isChunked = length === undefined;
      bodyLeft = Number(length ?? 0);
      // Of a chunked body the line end before its last chunk may be the head's own.
      data = data.subarray(isChunked ? headEnd + 2 : headEnd + HEAD_END.length);
      if (length === "0") socket.write(ANSWER);
    }
  });
}

function note(id: string | undefined): void {
  requests += 1;
  if (id === undefined || ids.has(id)) return;
  ids.add(id);
  lastAt = Date.now();
}
