/** The local target: a small HTTP server on this machine that prints what a delivery brought. */
import type { IncomingMessage } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { printable } from "../terminal.ts";

/** Of a body, this much is printed. */
const SHOWN_CHARACTERS_MAX = 400;
const BODY_BYTES_MAX = 8_388_608;

export interface Printer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

export async function startPrinter(print: (text: string) => void): Promise<Printer> {
  const server = createServer((request, response) => {
    void describeRequest(request).then(
      (text) => {
        print(text);
        response.writeHead(204).end();
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function describeRequest(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length <= BODY_BYTES_MAX) chunks.push(chunk as Buffer);
  }
  const body = Buffer.concat(chunks).toString("utf8");
  const type = request.headers["ce-type"] ?? request.headers["content-type"] ?? "request";
  const shown = body.length > SHOWN_CHARACTERS_MAX ? `${body.slice(0, SHOWN_CHARACTERS_MAX)}…` : body;
  // A target that prints is named by the path (src/bus/dispatch.ts); a queue is named by its type.
  const target = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
  const line = (name: string, header: string): readonly string[] =>
    request.headers[header] === undefined ? [] : [`    ${name} ${printable(String(request.headers[header]))}`];
  return [
    `→ printed: ${printable(String(type))} (${length} bytes)${target === "" ? "" : ` for ${printable(target)}`}`,
    ...line("webhook-id", "webhook-id"),
    ...line("source", "ce-source"),
    `    ${printable(shown)}`,
  ].join("\n");
}
