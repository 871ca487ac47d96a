// Written by scripts/generate.ts; npm run generate writes it again.
import http from "../targets/http.ts";
import queue from "../targets/queue.ts";

export const targets = { http, queue } as const;
