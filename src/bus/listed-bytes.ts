/** How large a listed event is, about: what pages are cut by. */
import type { ListedEvent } from "./ports.ts";

/** Characters of it as JSON, and the bytes of its body. */
export function listedBytes(listed: ListedEvent): number {
  const { body, ...event } = listed.event;
  return JSON.stringify({ ...listed, event }).length + (body?.length ?? 0);
}
