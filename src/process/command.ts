import { type Clock, systemClock } from '../base/clock.ts';
import type { Environment } from '../config/environment.ts';
import { type ChildEnd, startChild } from './child.ts';
import { LastLines } from './last-lines.ts';

/** How long a process group may take to end by itself after SIGTERM, before SIGKILL. */
export const GRACE_MS = 2000;

export interface Command {
  /** The program and its arguments; there is no shell. Not empty. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly timeoutMs: number;
  /** Keeps the last lines of its standard error. */
  readonly keepsStderr?: boolean;
}

/** `lines`: the last ones of its standard error, where they are kept. */
export type CommandOutcome = CommandEnd & { readonly lines?: readonly string[] };

/** How a command went; `killed` is by a signal that was not ours. */
type CommandEnd =
  | ChildEnd
  /** It did not end in time; its process group is gone. */
  | { readonly kind: 'timeout' }
  /** `signal` aborted; its process group is gone. */
  | { readonly kind: 'aborted' };

/**
 * Runs a command to its end, its time limit, or the abort of `signal`, whichever comes first. Never throws.
 *
 * The command leads a process group of its own: at the limit or abort the whole group gets SIGTERM, and SIGKILL two
 * seconds later if any of it is left. What a command that ends in time leaves behind in the background goes on, also
 * after our own end: it may be the application, which such a command has started.
 *
 * Its three standard streams are /dev/null. Output could hold a value, so it is neither shown nor kept, unless
 * `keepsStderr` says so: then standard error is a pipe, which is read until its last writer has closed it.
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
  const kept = child.stderr === null ? undefined : new LastLines(child.stderr);
  const withLines = async (end: CommandEnd) => (kept === undefined ? end : { ...end, lines: await kept.read(clock) });
  const over = new AbortController();
  const stop = clock.sleep(timeoutMs, AbortSignal.any([over.signal, signal])).then(() => 'stop' as const);
  const first = await Promise.race([child.ended, stop]);
  over.abort();
  if (first !== 'stop') return withLines(first);
  // Even SIGKILL is refused by a program that runs as another user: then it is left to itself.
  const patience = new AbortController();
  child.signalAll('SIGTERM');
  await Promise.race([child.goneWithin(GRACE_MS), clock.sleep(2 * GRACE_MS, patience.signal)]);
  patience.abort();
  child.unref();
  return withLines({ kind: signal.aborted ? 'aborted' : 'timeout' });
}
