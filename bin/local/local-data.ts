/** What a local run needs to hand out claimed bodies: an address that it knows before it starts, and a secret that lasts. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

const SECRET_FILE = "data-secret";

/** Made up at the first start and kept with the state, so that messages of an earlier run can still be followed. */
export async function localDataSecret(stateDir: string): Promise<string> {
  const file = join(stateDir, SECRET_FILE);
  try {
    await writeFile(file, randomBytes(24).toString("base64url"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFile(file, "utf8");
}

/** The port itself, or for 0 one that nobody listens on now. Somebody may take it before it is used. */
export function knownPort(port: number, host: string): Promise<number> {
  if (port !== 0) return Promise.resolve(port);
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      const found = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(found));
    });
  });
}

/** How a Worker on this machine reaches the router: an address that means every interface is no place to send to. */
export function localPublicUrl(host: string, port: number): string {
  const name = host === "0.0.0.0" || host === "*" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}
