/** Remembers one delivery: an object by the name of its id, gone by itself once no repeat can come. */
import { DurableObject } from "cloudflare:workers";

/** A queue keeps a message for 14 days at most, and Sluice tries a delivery for 3 (`max-age`). */
const KEPT_MS = 17 * 86_400_000;

export class Seen extends DurableObject {
  async isDone(): Promise<boolean> {
    return (await this.ctx.storage.get("done")) === true;
  }

  async done(): Promise<void> {
    await this.ctx.storage.put("done", true);
    await this.ctx.storage.setAlarm(Date.now() + KEPT_MS);
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }
}
