/** The inspector of a workerd: Chrome's DevTools protocol, as much of it as benches need. */

export interface Inspector {
  readonly call: (method: string, params?: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly close: () => void;
}

/** Connects to the Worker whose id has `name` in it, else to the first one. `base` is an `http:` or `ws:` URL. */
export async function openInspector(base: string, name: string): Promise<Inspector> {
  const listed = await fetch(new URL("/json", base.replace(/^ws/, "http")));
  const pages = (await listed.json()) as readonly { readonly webSocketDebuggerUrl: string; readonly id: string }[];
  const page = pages.find(({ id }) => id.includes(name)) ?? pages[0];
  if (page === undefined) throw new Error("the inspector lists no Worker");
  const socket = new WebSocket(page.webSocketDebuggerUrl);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("no connection to the inspector")));
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown };
    if (id === undefined) return;
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let calls = 0;
  return {
    call: (method, params = {}) =>
      new Promise((resolve) => {
        const id = ++calls;
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ id, method, params }));
      }),
    close: () => socket.close(),
  };
}
