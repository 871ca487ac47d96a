/** A soak's samples as a table, and whether memory grew. */
import { tableLines } from "../../bin/table.ts";

const WIDTH = 120;
const MIB = 1_048_576;
/** Memory that is up by more than this from the first quarter to the last grows; less is what a heap does by itself. */
const GROWTH_MAX = 0.25;
/** A fresh process's memory grows whatever it does: this share of the samples says nothing. */
const WARM_UP_SHARE = 0.2;
/** After the warm-up a quarter has at least two samples. */
const SAMPLES_MIN = 10;

export interface SoakSample {
  /** Since the load began. */
  readonly elapsedMs: number;
  readonly accepted: number;
  readonly delivered: number;
  /** Resident memory of all workerd processes together. */
  readonly rssBytes: number;
  /** The state on disk. */
  readonly stateBytes: number;
}

export interface SoakVerdict {
  readonly steady: boolean;
  readonly line: string;
}

/** One row for each span of time, its last sample. */
export function soakTable(samples: readonly SoakSample[], rowMs: number): readonly string[] {
  const rows = new Map<number, SoakSample>();
  for (const sample of samples) rows.set(Math.ceil(sample.elapsedMs / rowMs), sample);
  const columns = [
    { title: "minutes", value: ({ elapsedMs }: SoakSample) => (elapsedMs / 60_000).toFixed(1) },
    { title: "accepted", value: ({ accepted }: SoakSample) => String(accepted) },
    { title: "delivered", value: ({ delivered }: SoakSample) => String(delivered) },
    { title: "waiting", value: ({ accepted, delivered }: SoakSample) => String(Math.max(0, accepted - delivered)) },
    { title: "RSS MiB", value: ({ rssBytes }: SoakSample) => (rssBytes / MIB).toFixed(0) },
    { title: "state MiB", value: ({ stateBytes }: SoakSample) => (stateBytes / MIB).toFixed(0) },
  ];
  return tableLines([...rows.values()], columns, { width: WIDTH, paint: (_, text) => text });
}

/** Compares quarters of what follows the warm-up. */
export function soakVerdict(samples: readonly SoakSample[]): SoakVerdict {
  if (samples.length < SAMPLES_MIN) {
    return { steady: false, line: `${samples.length} samples, of at least ${SAMPLES_MIN}: too short to tell` };
  }
  const warm = samples.slice(Math.ceil(samples.length * WARM_UP_SHARE));
  const quarter = Math.floor(warm.length / 4);
  const first = medianRss(warm.slice(0, quarter));
  const last = medianRss(warm.slice(-quarter));
  const growth = last / first - 1;
  const steady = growth <= GROWTH_MAX;
  const [from, to] = [first, last].map((bytes) => `${(bytes / MIB).toFixed(0)} MiB`);
  const change = `${growth < 0 ? "" : "+"}${(growth * 100).toFixed(0)} %`;
  return {
    steady,
    line: `RSS after the warm-up, median of the first quarter ${from}, of the last ${to} (${change}): ${steady ? "steady" : "it grows"}`,
  };
}

function medianRss(samples: readonly SoakSample[]): number {
  const sorted = samples.map(({ rssBytes }) => rssBytes).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
