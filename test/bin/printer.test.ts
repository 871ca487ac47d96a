/** The server that `local: print` targets and queues print by. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Printer } from "../../bin/local/printer.ts";
import { startPrinter } from "../../bin/local/printer.ts";

const printed: string[] = [];
let printer: Printer;
beforeAll(async () => {
  printer = await startPrinter((text) => printed.push(text));
});
beforeEach(() => {
  printed.length = 0;
});
afterAll(() => printer.close());

async function post(path: string, headers: Readonly<Record<string, string>>, body = "{}"): Promise<void> {
  const answer = await fetch(new URL(path, printer.url), { method: "POST", headers, body });
  expect(answer.status).toBe(204);
}

describe("what is printed", () => {
  it("is the event's type with the target, the ids and the body", async () => {
    await post("ci", { "ce-type": "com.github.push", "ce-source": "https://github.com", "webhook-id": "dlv_1" });
    expect(printed).toEqual([
      "→ printed: com.github.push (2 bytes) for ci\n    webhook-id dlv_1\n    source https://github.com\n    {}",
    ]);
  });

  it("of a queue is its name, without lines for what a message has not", async () => {
    await post("/", { "content-type": "queue local-audit" });
    expect(printed).toEqual(["→ printed: queue local-audit (2 bytes)\n    {}"]);
  });

  it("has nothing that a terminal would obey", async () => {
    await post("ci", { "ce-type": "a" }, "\u001b[2Jx");
    expect(printed.join()).not.toContain("\u001b");
  });
});
