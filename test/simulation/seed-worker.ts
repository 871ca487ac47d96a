/** A process that runs the seeds that it is told to, until nobody is there to tell it. */
import type { Seeds } from "./seed-tally.ts";
import { tallySeeds } from "./seed-tally.ts";

process.on("message", (seeds: Seeds) => {
  void tallySeeds(seeds).then((tally) => process.send?.(tally));
});
process.once("disconnect", () => process.exit());
