// Written by scripts/generate.ts; npm run generate writes it again.
import bus from "../targets/bus.ts";
import http from "../targets/http.ts";
import queue from "../targets/queue.ts";

export const targets = { bus, http, queue } as const;
