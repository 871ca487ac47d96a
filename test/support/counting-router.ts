/** The router with a slow partition that counts what it is asked, in one isolate as on plain workerd: `GET /counts` tells. */
import router, { Partition as RealPartition } from "../../src/index.ts";

export { Dispatch, Gate } from "../../src/index.ts";

/** What an accept takes in the object beside its work, so that others come meanwhile. */
const ACCEPT_MS = 150;

export interface Counts {
  /** Calls of the partition, and the requests that they carried. */
  accepts: number;
  accepted: number;
  /** Calls, and settlements. */
  settles: number;
  settled: number;
}

const counts: Counts = { accepts: 0, accepted: 0, settles: 0, settled: 0 };

export class Partition extends RealPartition {
  override async accept(
    ...[request, others = []]: Parameters<RealPartition["accept"]>
  ): ReturnType<RealPartition["accept"]> {
    counts.accepts += 1;
    counts.accepted += 1 + others.length;
    await new Promise((resolve) => {
      setTimeout(resolve, ACCEPT_MS);
    });
    return super.accept(request, others);
  }

  override async settle(...[request]: Parameters<RealPartition["settle"]>): ReturnType<RealPartition["settle"]> {
    counts.settles += 1;
    counts.settled += request.settlements.length;
    return super.settle(request);
  }
}

export default {
  fetch: (request: Parameters<typeof router.fetch>[0], env: never, ctx: ExecutionContext) =>
    new URL(request.url).pathname === "/counts" ? Response.json(counts) : router.fetch(request, env, ctx),
};
