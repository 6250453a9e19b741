import { systemClock } from '../base/clock.ts';
import type { Check } from '../base/examination.ts';
import { runChecks } from './doctor/run-checks.ts';
import { documentOf, showCheck, statusOf, summaryOf } from './doctor/show.ts';
import { print, printLines } from './print.ts';
import type { CommonOptions } from './setup.ts';
import { exitStatusOf, listenForStop } from './stop-signals.ts';

export interface DoctorCommandOptions extends CommonOptions {
  /** How long all checks may take together; each has `MAX_CHECK_MS` at most. */
  readonly timeoutMs: number;
  /** Prints an array for programs instead of lines for people. */
  readonly json?: boolean;
}

/**
 * `pannier doctor`: looks at everything that a start of the agent needs, in the order of causes, and changes nothing.
 * Returns 0 when nothing failed, else the status that the failures have.
 */
export async function doctorCommand(options: DoctorCommandOptions): Promise<number> {
  const { timeoutMs, json = false } = options;
  using stop = listenForStop();
  const limit = new AbortController();
  const cancel = systemClock.after(timeoutMs, () => limit.abort());
  const signal = AbortSignal.any([stop.signal, limit.signal]);
  const all: Check[] = [];
  try {
    for await (const checks of runChecks(options, signal)) {
      all.push(...checks);
      if (!json) await printLines(checks.map(showCheck).join(''));
    }
  } finally {
    cancel();
  }
  const received = stop.received();
  if (received !== undefined) return exitStatusOf(received);
  await (json ? print(documentOf(all)) : printLines(summaryOf(all)));
  return statusOf(all);
}
