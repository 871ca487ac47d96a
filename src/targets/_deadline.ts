/** Waiting for work that may never end, until a signal says that time is up. */

export type Timed<Value> = { readonly late: true } | { readonly late: false; readonly value: Value };

const LATE = { late: true } as const;

/**
 * What the work yields, or `late` once the signal aborts, even when the work knows nothing of the signal. Work that fails
 * after the abort is late as well; a failure before it is thrown. Work left behind is not awaited; `discard` gets its value.
 */
export async function beforeDeadline<Value>(
  work: Promise<Value>,
  signal: AbortSignal,
  discard: (value: Value) => void = () => {},
): Promise<Timed<Value>> {
  const { promise: aborted, resolve: abort } = Promise.withResolvers<typeof LATE>();
  const onAbort = (): void => abort(LATE);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const timed = await Promise.race([aborted, work.then((value) => ({ late: false, value }) as const)]);
    if (timed.late) work.then(discard, () => {});
    return timed;
  } catch (error) {
    if (signal.aborted) return LATE;
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
