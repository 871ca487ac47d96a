/** What is done with an event: the place for your own code. */
import type { EventData, QueuedEvent } from "./message.ts";

export interface HandleEnv {
  readonly FORWARD_TO: string;
}

/** Throws when it could not be done: the message comes again. */
export async function handleEvent(event: QueuedEvent, data: EventData | null, env: HandleEnv): Promise<void> {
  const response = await fetch(env.FORWARD_TO, {
    method: "POST",
    headers: {
      "content-type": data?.contentType ?? "application/octet-stream",
      "x-event-type": event.type,
      "x-event-id": event.id,
      // So that what comes after can tell repeats, too.
      "idempotency-key": event.deliveryid,
    },
    body: data?.bytes ?? null,
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${env.FORWARD_TO} answered ${response.status}`);
}
