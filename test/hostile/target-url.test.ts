/** No spelling of a URL gets a target to a place that is not a public host, and nothing in an event changes where it goes. */
import { describe, expect, it } from "vitest";
import { parseTargetUrl } from "../../src/targets/_url-entry.ts";
import http from "../../src/targets/http.ts";
import { eventWith, shipmentOf, targetIo } from "../support/target-io.ts";
import { HOSTILE_URLS, LOOPBACK_URLS } from "./corpus.ts";

describe("a target's URL", () => {
  it.each(HOSTILE_URLS)("is refused: %j", (text) => {
    expect(parseTargetUrl(text).ok).toBe(false);
  });

  it.each(LOOPBACK_URLS)("may be this machine, and then nothing deployed sends to it: %j", async (text) => {
    expect(parseTargetUrl(text)).toMatchObject({ ok: true, value: { isLoopback: true } });
    const config = http.parse({ http: text });
    if (!config.ok) throw new Error("the URL parses");
    expect(http.localOnly(config.value)).toHaveLength(1);
    const io = targetIo({ fetch: () => Promise.reject(new Error("a request was made")) });
    expect(await http.send(shipmentOf(eventWith("{}")), config.value, 1_000, io)).toMatchObject({
      kind: "permanent",
      reason: "configuration",
    });
  });
});
