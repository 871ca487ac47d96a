/** Every kind of source and target there is, whatever the rules of this checkout use. */
import { loadRegistry } from "../../scripts/registry.ts";

export const { sources, targets } = await loadRegistry();
