// Written by scripts/generate.ts; npm run generate writes it again.
import { checkedJsonata } from "../core/checked-jsonata.ts";

export const jsonata = checkedJsonata;
