import { type Clock, systemClock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import type { Environment } from '../config/environment.ts';
import { type ChildEnd, startChild } from './child.ts';
import { LastLines } from './last-lines.ts';

/** How long a process group may take to end after SIGTERM, before it gets SIGKILL. */
export const GRACE_MS = 2000;

export interface Command {
  /** The program and its arguments; there is no shell. Not empty. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly timeoutMs: number;
  /** Whether to keep the last lines of the command's standard error; absent: false. */
  readonly keepsStderr?: boolean;
}

/** How a command ended; `lines` are the last ones of its standard error, if `keepsStderr`. */
export type CommandOutcome = CommandEnd & { readonly lines?: readonly string[] };

/** `killed` is by a signal that Pannier did not send. */
type CommandEnd =
  | ChildEnd
  /** The command did not end in time; its process group is gone. */
  | { readonly kind: 'timeout' }
  /** `signal` was aborted; the command's process group is gone. */
  | { readonly kind: 'aborted' };

/**
 * Runs a command to its end, its time limit, or the abort of `signal`, whichever comes first. Never throws.
 *
 * The command leads a process group of its own: at the limit or abort the whole group gets SIGTERM, and SIGKILL two
 * seconds later if any of it is left. Background processes of a command that ends in time are left running, also after
 * Pannier's own end: they may be the application, which the command has started.
 *
 * The command's three standard streams are /dev/null. Output could hold a value, so it is neither shown nor kept. With
 * `keepsStderr` standard error is a pipe, which is read until its last writer has closed it.
 */
export async function runCommand(
  { argv, env, timeoutMs, keepsStderr = false }: Command,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<CommandOutcome> {
  if (signal.aborted) return { kind: 'aborted' };
  const child = startChild(
    { argv, env, stdio: ['ignore', 'ignore', keepsStderr ? 'pipe' : 'ignore'], ownGroup: true },
    clock,
  );
  const lastLines = child.stderr === null ? undefined : new LastLines(child.stderr);
  const withLines = async (end: CommandEnd) =>
    lastLines === undefined ? end : { ...end, lines: await lastLines.read(clock) };
  const timer = new AbortController();
  const stop = clock.sleep(timeoutMs, AbortSignal.any([timer.signal, signal])).then(() => 'stop' as const);
  const first = await Promise.race([child.ended, stop]);
  timer.abort();
  if (first !== 'stop') return withLines(first);
  // A program that runs as another user cannot be signalled, not even by SIGKILL: it is not waited for without end.
  const giveUp = new AbortController();
  child.signalAll('SIGTERM');
  await Promise.race([child.goneWithin(GRACE_MS), clock.sleep(2 * GRACE_MS, giveUp.signal)]);
  giveUp.abort();
  child.unref();
  return withLines({ kind: signal.aborted ? 'aborted' : 'timeout' });
}

/** How a command ended, in words. They name the program, never its arguments. */
export function describeOutcome(
  outcome: CommandOutcome,
  { argv: [program = ''], timeoutMs }: Pick<Command, 'argv' | 'timeoutMs'>,
): string {
  switch (outcome.kind) {
    case 'ended':
      return `${program} ended with status ${outcome.status}`;
    case 'killed':
      return `${program} was ended by ${outcome.signal}`;
    case 'timeout':
      return `${program} did not end within ${formatDuration(timeoutMs)}`;
    case 'not-started':
      return `${program} cannot be started (${outcome.errno})`;
    case 'aborted':
      return `${program} was ended because the agent stops`;
  }
}
