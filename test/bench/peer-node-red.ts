/**
 * Node-RED doing the benches' job: an http-in node with the raw body, a function node that verifies the HMAC and filters on the
 * body, an answer, and an http-request node. Installed from npm into the folder that is given.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Result } from "../../src/core/result.ts";
import { ok } from "../../src/core/result.ts";
import type { BenchSystem } from "./e2e-round.ts";
import { run, startPeer } from "./peer-process.ts";

const PACKAGE = "node-red@5.0.7";
const PATH = "/hook";

/** What a user writes into the function node. */
const FUNCTION = `
const crypto = global.get("crypto");
const { req, res, payload: body } = msg;
const given = Buffer.from(String(req.headers["x-hub-signature-256"] || "").replace(/^sha256=/, ""), "hex");
const right = crypto.createHmac("sha256", global.get("secret")).update(body).digest();
if (given.length !== right.length || !crypto.timingSafeEqual(given, right)) return [{ req, res, statusCode: 401, payload: "" }, null];
const event = JSON.parse(body);
const answer = { req, res, statusCode: 202, payload: "" };
if (!(event.repository && event.repository.id > 0)) return [answer, null];
const headers = { "content-type": "application/json", "webhook-id": req.headers["x-github-delivery"] };
return [answer, { payload: body, headers }];
`;

/** Installs it and answers how to start it. */
export async function nodeRedSystem(dir: string, secret: string): Promise<Result<BenchSystem, string>> {
  await writeFile(join(dir, "package.json"), '{ "private": true }\n');
  const installed = await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE], dir);
  if (!installed.ok) return installed;
  return ok({
    name: "Node-RED",
    path: PATH,
    secret,
    start: async (targetUrl) => {
      await writeFile(join(dir, "flows.json"), JSON.stringify(flow(targetUrl)));
      await writeFile(join(dir, "settings.js"), settings(secret));
      const red = join(dir, "node_modules/node-red/red.js");
      const args = (port: number) => [
        red,
        "--settings",
        join(dir, "settings.js"),
        "--userDir",
        dir,
        "-p",
        String(port),
      ];
      return startPeer(process.execPath, args, dir);
    },
  });
}

function flow(targetUrl: string): readonly unknown[] {
  return [
    { id: "tab", type: "tab", label: "bench" },
    { id: "in", type: "http in", z: "tab", url: PATH, method: "post", skipBodyParsing: true, wires: [["check"]] },
    { id: "check", type: "function", z: "tab", outputs: 2, func: FUNCTION, libs: [], wires: [["answer"], ["send"]] },
    { id: "answer", type: "http response", z: "tab", wires: [] },
    {
      id: "send",
      type: "http request",
      z: "tab",
      method: "POST",
      ret: "txt",
      url: targetUrl,
      persist: true,
      wires: [[]],
    },
  ];
}

/** Without the editor, which costs nothing per event but is not needed. */
function settings(secret: string): string {
  return `module.exports = {
  flowFile: "flows.json",
  uiHost: "127.0.0.1",
  disableEditor: true,
  httpAdminRoot: false,
  functionGlobalContext: { crypto: require("node:crypto"), secret: ${JSON.stringify(secret)} },
  logging: { console: { level: "error" } },
};
`;
}
