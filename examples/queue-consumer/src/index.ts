/** Consumes the queue of a Sluice target: each event once, each message acknowledged or retried by itself. */
import type { HandleEnv } from "./handle.ts";
import { handleEvent } from "./handle.ts";
import { parseMessage, readData } from "./message.ts";
import type { Seen } from "./seen.ts";

export { Seen } from "./seen.ts";

interface Env extends HandleEnv {
  readonly SLUICE_URL: string;
  readonly SEEN: DurableObjectNamespace<Seen>;
}

/** Doubles with each attempt, up to an hour. */
const RETRY_SECONDS = 10;
const RETRY_SECONDS_MAX = 3_600;

export default {
  async queue(batch, env) {
    // One after another: a large body is in memory only while it is worked on.
    for (const message of batch.messages) await consume(message, env);
  },
} satisfies ExportedHandler<Env>;

async function consume(message: Message, env: Env): Promise<void> {
  try {
    const event = parseMessage(message.body);
    const seen = env.SEEN.get(env.SEEN.idFromName(event.deliveryid));
    if (!(await seen.isDone())) {
      await handleEvent(event, await readData(event, env.SLUICE_URL), env);
      // Last: a repeat after a crash in between is better than an event that nobody has handled.
      await seen.done();
    }
    message.ack();
  } catch (error) {
    console.error(`message ${message.id}, attempt ${message.attempts}: ${String(error)}`);
    message.retry({ delaySeconds: Math.min(RETRY_SECONDS * 2 ** (message.attempts - 1), RETRY_SECONDS_MAX) });
  }
}
