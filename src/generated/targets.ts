// Written by scripts/generate.ts; npm run generate writes it again.
import http from "../targets/http.ts";

export const targets = { http } as const;
