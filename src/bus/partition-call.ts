/** Calls to an object that may fail for a moment: one that moves, restarts or is overloaded. */
import type { PartitionPort } from "./ports.ts";

/** How often one call is made, the first time included. */
export const CALL_TRIES_MAX = 3;
const CALL_PAUSE_MS = 100;

export interface CallPorts {
  /** A new stub at every call: after an exception the old one may keep failing. */
  readonly partition: (name: string) => PartitionPort;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
}

/** Makes a call to a partition that may safely be made twice: an accept by its token, a settle by its leases. */
export function callPartition<Reply>(
  name: string,
  call: (partition: PartitionPort) => Promise<Reply>,
  ports: CallPorts,
): Promise<Reply> {
  return callAgain(() => call(ports.partition(name)), ports);
}

/**
 * Makes a call that may safely be made twice, with a new stub each time. The platform marks what is worth another try; an
 * overloaded object gets no more load. Throws the last error.
 */
export async function callAgain<Reply>(
  call: () => Promise<Reply>,
  ports: Pick<CallPorts, "sleep" | "random">,
): Promise<Reply> {
  for (let tried = 1; ; tried++) {
    try {
      return await call();
    } catch (error) {
      if (tried >= CALL_TRIES_MAX || !isRetryable(error)) throw error;
      await ports.sleep(CALL_PAUSE_MS * 2 ** (tried - 1) * (0.5 + ports.random() / 2));
    }
  }
}

/** Durable Objects: `retryable` says that a new stub may do better, `overloaded` that trying again makes it worse. */
function isRetryable(error: unknown): boolean {
  const { retryable, overloaded } = flagsOf(error);
  return retryable === true && overloaded !== true;
}

/** The object or the way to it is in trouble, whatever it was asked. */
export function isPlatformError(error: unknown): boolean {
  const { retryable, overloaded } = flagsOf(error);
  return retryable === true || overloaded === true;
}

function flagsOf(error: unknown): { readonly retryable?: unknown; readonly overloaded?: unknown } {
  return typeof error === "object" && error !== null ? error : {};
}
