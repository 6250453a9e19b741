import { type Clock, systemClock } from '../base/clock.ts';
import { type ChildEnd, startChild } from './child.ts';

/** How long a process group may take to end by itself after SIGTERM, before SIGKILL. */
export const GRACE_MS = 2000;

export interface Command {
  /** The program and its arguments; there is no shell. Not empty. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** How a command went; `killed` is by a signal that was not ours. */
export type CommandOutcome =
  | ChildEnd
  /** It did not end in time; its process group is gone. */
  | { readonly kind: 'timeout' }
  /** `signal` aborted; its process group is gone. */
  | { readonly kind: 'aborted' };

/**
 * Runs a command to its end, its time limit, or the abort of `signal`, whichever comes first. Never throws.
 *
 * The command leads a process group of its own: at the limit or abort the whole group gets SIGTERM, and SIGKILL two
 * seconds later if any of it is left. What a command that ends in time leaves behind in the background goes on.
 *
 * Its three standard streams are /dev/null. Output could hold a value, so it is neither shown nor kept; and with no
 * pipe there is none that could fill up, nor one that a background process keeps open when the command has ended.
 */
export async function runCommand(
  { argv, env, timeoutMs }: Command,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<CommandOutcome> {
  if (signal.aborted) return { kind: 'aborted' };
  const child = startChild({ argv, env, stdio: 'ignore', ownGroup: true }, clock);
  const over = new AbortController();
  const stop = clock.sleep(timeoutMs, AbortSignal.any([over.signal, signal])).then(() => 'stop' as const);
  const first = await Promise.race([child.ended, stop]);
  over.abort();
  if (first !== 'stop') return first;
  // Even SIGKILL is refused by a program that runs as another user: then it is left to itself.
  const patience = new AbortController();
  child.signalAll('SIGTERM');
  await Promise.race([child.goneWithin(GRACE_MS), clock.sleep(2 * GRACE_MS, patience.signal)]);
  patience.abort();
  child.unref();
  return { kind: signal.aborted ? 'aborted' : 'timeout' };
}
