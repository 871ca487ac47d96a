/** What `sluice sources` says of secrets, to a router that answers as told. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestServer } from "../support/http-server.ts";
import { startServer } from "../support/http-server.ts";
import { runSluice } from "./run-sluice.ts";

let router: TestServer;
let sources: readonly unknown[] = [];

beforeAll(async () => {
  router = await startServer((response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ sources }));
  });
});

afterAll(() => router.close());

const run = (...args: readonly string[]) =>
  runSluice(["sources", "--to", new URL(router.url).origin, ...args], { env: { ADMIN_TOKEN: "t" } });

const hub = (secrets: readonly unknown[], more: object = {}) => ({
  name: "hub",
  kind: "github",
  bus: "default",
  paths: ["/webhooks/hub"],
  open: false,
  secrets,
  ...more,
});
const AT = "2026-01-31T12:00:00.500Z";

describe("sluice sources", () => {
  it("has a line for each secret, and says plainly which is not set and which never verified a request", async () => {
    sources = [
      hub([
        { name: "NEW", set: true, lastVerifiedAt: null },
        { name: "OLD", set: true, lastVerifiedAt: AT },
        { name: "OLDER", set: false, lastVerifiedAt: AT },
        { name: "NEXT", set: false, lastVerifiedAt: null },
      ]),
    ];
    const { code, stdout, stderr } = await run();
    expect(code).toBe(0);
    expect(stdout.split("\n").slice(1)).toEqual([
      "hub     github  default  /webhooks/hub  NEW     never",
      "                                        OLD     2026-01-31 12:00:00",
      "                                        OLDER   not set; 2026-01-31 12:00:00",
      "                                        NEXT    not set",
      "",
    ]);
    expect(stderr.split("\n").slice(0, 3)).toEqual([
      "OLDER of hub is not set: npx wrangler secret put OLDER, or a line in .dev.vars for a local run.",
      "NEXT of hub is not set: npx wrangler secret put NEXT, or a line in .dev.vars for a local run.",
      "NEW of hub has never verified a request.",
    ]);
    expect(stderr).toContain("To rotate a secret: name the new one beside the old one");
    expect((await run("--json")).stdout).toBe(`${JSON.stringify({ sources })}\n`);
  });

  it("says who may send to an open source, and that there are none", async () => {
    sources = [hub([], { open: true })];
    expect((await run()).stdout).toContain("-       anyone may send\n");
    sources = [];
    expect(await run()).toEqual({ code: 0, stdout: "", stderr: "There are no sources.\n" });
  });

  it("keeps what a router says from steering the terminal", async () => {
    sources = [hub([{ name: "A\u001b[2J", set: false, lastVerifiedAt: null }], { name: "h\u0007b" })];
    const { stdout, stderr } = await run();
    expect(stdout).toContain("h b");
    expect(stderr).toContain("A [2J of h b is not set");
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
