import type { ChildProcess } from 'node:child_process';
import { type Clock, systemClock } from '../base/clock.ts';

/** How long a process group may take to end by itself after SIGTERM, before SIGKILL. */
export const GRACE_MS = 2000;
const POLL_MS = 20;
const NEVER = new AbortController().signal;

export interface Command {
  /** The program and its arguments; there is no shell. Not empty. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

/** How a command went. */
export type CommandOutcome =
  | { readonly kind: 'ended'; readonly status: number }
  /** By a signal that was not ours. */
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  /** It did not end in time; its process group is gone. */
  | { readonly kind: 'timeout' }
  /** `signal` aborted; its process group is gone. */
  | { readonly kind: 'aborted' }
  /** It never ran; `errno` such as ENOENT, or `unknown`. */
  | { readonly kind: 'not-started'; readonly errno: string };

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
  const child = start(argv, env);
  if ('errno' in child) return { kind: 'not-started', errno: child.errno };
  const ended = endOf(child);
  const { pid } = child;
  if (pid === undefined) return ended; // an error is on its way

  const over = new AbortController();
  const stop = clock.sleep(timeoutMs, AbortSignal.any([over.signal, signal])).then(() => 'stop' as const);
  const first = await Promise.race([ended, stop]);
  over.abort();
  if (first !== 'stop') return first;
  await endGroup(pid, clock);
  // Even SIGKILL is refused by a program that runs as another user: then it is left to itself.
  await Promise.race([ended, clock.sleep(GRACE_MS, NEVER)]);
  child.unref();
  return { kind: signal.aborted ? 'aborted' : 'timeout' };
}

/** A foreign error's text may hold an argument or a variable (a NUL in one is thrown with its value): errno only. */
function start(argv: readonly string[], env: NodeJS.ProcessEnv): ChildProcess | { readonly errno: string } {
  try {
    return process
      .getBuiltinModule('node:child_process')
      .spawn(argv[0] as string, argv.slice(1), { detached: true, stdio: 'ignore', env });
  } catch (error) {
    return { errno: errnoOf(error) };
  }
}

function endOf(child: ChildProcess): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'not-started', errno: errnoOf(error) }));
    child.once('exit', (status, by) => {
      resolve(by === null ? { kind: 'ended', status: status ?? 0 } : { kind: 'killed', signal: by });
    });
  });
}

function errnoOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return /^E[A-Z0-9]+$/.test(code) ? code : 'unknown';
}

async function endGroup(group: number, clock: Clock): Promise<void> {
  const end = clock.monoMs() + GRACE_MS;
  signalGroup(group, 'SIGTERM');
  while (clock.monoMs() < end && signalGroup(group, 0)) await clock.sleep(POLL_MS, NEVER);
  signalGroup(group, 'SIGKILL');
}

/** False when nobody is left in the group. EPERM (a member changed its user) counts as somebody. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
