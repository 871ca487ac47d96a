/** How long things are kept. GitHub lets people redeliver for 3 days; one more covers the late and slow. */
export const DEDUP_WINDOW_MS = 4 * 86_400_000;
/** Ended events, and the bodies of dead ones. */
export const LOG_WINDOW_MS = 14 * 86_400_000;
