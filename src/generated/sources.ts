// Written by scripts/generate.ts; npm run generate writes it again.
import cloudevents from "../sources/cloudevents.ts";
import github from "../sources/github.ts";

export const sources = { cloudevents, github } as const;
