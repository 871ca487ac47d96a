/** What a command could not do, in words for the person who asked for it. */
export interface Failure {
  /** One sentence without its full stop. */
  readonly message: string;
  /** The way out, in whole sentences. */
  readonly hint?: string;
  /** True when the command was called wrongly; the exit code tells. */
  readonly isUsage?: boolean;
}

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

export type ExitCode = typeof EXIT_OK | typeof EXIT_FAILURE | typeof EXIT_USAGE;
