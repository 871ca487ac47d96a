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
/** Of `plan`: something changes. So that nothing else says 2, a wrong call of it is EXIT_FAILURE. */
export const EXIT_CHANGES = 2;

export type ExitCode = typeof EXIT_OK | typeof EXIT_FAILURE | typeof EXIT_USAGE;

const COMMANDS_WITH_CHANGES: readonly string[] = ["plan"];

/** What a wrong call of a command exits with. */
export function usageExitCode(command: string | undefined): ExitCode {
  return command !== undefined && COMMANDS_WITH_CHANGES.includes(command) ? EXIT_FAILURE : EXIT_USAGE;
}
