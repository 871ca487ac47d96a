/** A local HTTP target that fails as real ones do, by chance of its seed, and keeps a short record of what it got. */
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Chance } from "../simulation/chance.ts";
import { hashOf } from "./load.ts";
import type { Arrival } from "./verdict.ts";

/** Longer than any timeout in the crash test's rules. */
const HANG_MS = 3_000;
const SLOW_BODY_PARTS = 5;
const SLOW_PART_MS = 60;

/** How likely each fault is; what is left is a plain 204. */
export interface Faults {
  readonly status500: number;
  readonly status503: number;
  /** A permanent refusal: straight to the dead list. */
  readonly status422: number;
  /** The connection is reset, before an answer. */
  readonly reset: number;
  /** The connection is reset in the middle of a 200. */
  readonly cut: number;
  /** No answer until the router's timeout. */
  readonly hang: number;
  /** A 200 whose body stalls until the router's timeout. */
  readonly stall: number;
  /** A 200 whose body comes in parts, but in time. */
  readonly slow: number;
}

export interface FaultyTarget {
  readonly name: string;
  readonly url: string;
  readonly arrivals: readonly Arrival[];
  readonly close: () => Promise<void>;
}

type MutableArrival = { -readonly [Key in keyof Arrival]: Arrival[Key] };

export async function startFaultyTarget(name: string, faults: Partial<Faults>, chance: Chance): Promise<FaultyTarget> {
  const arrivals: MutableArrival[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const arrival: MutableArrival = {
        target: name,
        event: String(request.headers["ce-id"]),
        webhookId: String(request.headers["webhook-id"]),
        bodyHash: hashOf(Buffer.concat(chunks)),
        at: Date.now(),
      };
      arrivals.push(arrival);
      const fault = pickFault(faults, chance);
      response.once("finish", () => {
        if (response.statusCode < 300 && fault !== "stall") arrival.succeededAt = Date.now();
      });
      answer(response, fault);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    name,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    arrivals,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pickFault(faults: Partial<Faults>, chance: Chance): string {
  let left = chance.next();
  for (const [fault, probability] of Object.entries(faults)) {
    if (left < probability) return fault;
    left -= probability;
  }
  return "none";
}

function answer(response: ServerResponse, fault: string): void {
  switch (fault) {
    case "status500":
    case "status503":
    case "status422":
      response.writeHead(Number(fault.slice("status".length))).end("no");
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "cut":
      response.writeHead(200, { "content-length": "100" }).write("the rest never", () => response.destroy());
      return;
    case "hang":
      setTimeout(() => response.destroy(), HANG_MS);
      return;
    case "stall":
      response.writeHead(200).write("and then nothing");
      setTimeout(() => response.destroy(), HANG_MS);
      return;
    case "slow":
      response.writeHead(200);
      writeSlowly(response, SLOW_BODY_PARTS);
      return;
    default:
      response.writeHead(204).end();
  }
}

function writeSlowly(response: ServerResponse, parts: number): void {
  if (parts === 0) response.end();
  else response.write("part ", () => setTimeout(writeSlowly, SLOW_PART_MS, response, parts - 1));
}
