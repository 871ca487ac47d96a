/**
 * A vitest reporter that ends the output with one plain line, alone, for whoever reads a log by machine:
 *
 *   412 passed, 0 failed
 *   410 passed, 1 failed, 2 skipped
 *
 * A test file that could not be loaded and an error outside of any test count as failed, so that the line never says
 * `0 failed` over a run that failed.
 */
import type { Reporter, TestModule } from "vitest/node";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

export function countTests(modules: readonly TestModule[], unhandledErrors: number): Counts {
  const counts = { passed: 0, failed: unhandledErrors, skipped: 0 };
  for (const module of modules) {
    let failedTests = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") counts.passed += 1;
      else if (state === "skipped") counts.skipped += 1;
      else failedTests += 1;
    }
    // A file that does not load, or whose hook threw, fails without a failed test.
    counts.failed += failedTests === 0 && !module.ok() ? 1 : failedTests;
  }
  return counts;
}

let line: string | undefined;

/** Vitest makes the reporter with `new`. The line is written on exit, since the default reporter writes until then. */
export default function ClosingLine(): Reporter {
  return {
    onInit() {
      process.once("exit", () => {
        if (line !== undefined) process.stdout.write(`${line}\n`);
      });
    },
    onTestRunEnd(modules, unhandledErrors) {
      line = closingLine(countTests(modules, unhandledErrors.length));
    },
  };
}
