import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { errnoWord } from '../base/errno.ts';
import type { Environment } from '../config/environment.ts';
import { restoreCoreDumps } from './core-dumps.ts';
import { isGroupLeft, signalGroup } from './group.ts';
import { type SignalResult, sendSignal, signalExitStatus } from './signals.ts';

/** How long to wait between two checks whether a child is gone; doubles from MIN to MAX. */
const MIN_POLL_MS = 10;
const MAX_POLL_MS = 200;
const NEVER = new AbortController().signal;

export interface ChildOptions {
  /** The program and its arguments; there is no shell. Not empty. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdio: StdioOptions;
  /**
   * Whether the child leads a process group and session of its own; `signalAll` and `goneWithin` then mean that group.
   */
  readonly ownGroup: boolean;
}

/** How a child ended. */
export type ChildEnd =
  | { readonly kind: 'ended'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  /** The program never ran; `errno` is such as ENOENT, or `unknown`. */
  | { readonly kind: 'not-started'; readonly errno: string };

/** A process that Pannier started. */
export interface Child {
  /** Undefined when the program could not be started. */
  readonly pid: number | undefined;
  /** Resolves when the child itself has ended; other processes of its group may still run. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** The child's standard error; null unless `stdio` makes it a pipe. */
  readonly stderr: Readable | null;
  /** Signals the child alone. */
  signal(name: NodeJS.Signals): SignalResult;
  /** Signals the child's whole group; the child alone when it has no group of its own. */
  signalAll(name: NodeJS.Signals): SignalResult;
  /** Whether the child or another process of its own group still runs. */
  isLeft(): Promise<boolean>;
  /**
   * Resolves when the child and its own group are gone; after `graceMs` what is left of them gets SIGKILL. A second
   * call joins the first one, whose grace counts. Never resolves while a process runs on that Pannier may not signal,
   * such as a program of another user.
   * @param killing called just before SIGKILL is sent.
   */
  goneWithin(graceMs: number, killing?: () => void): Promise<void>;
  /** Lets Pannier's own process end before the child. */
  unref(): void;
}

/** Starts a child. Never throws: `ended` resolves to `not-started` when the program cannot be started. */
export function startChild(options: ChildOptions, clock: Clock): Child {
  const started = spawn(options);
  if ('errno' in started) return neverStarted(started.errno);
  return new RunningChild(started, options.ownGroup, clock);
}

/**
 * The exit status that a shell gives for a child: the child's own, 128+n after signal n, 127 for a program that does
 * not exist, 126 for one that cannot be started for another reason.
 */
export function exitStatusOfChild(end: ChildEnd): number {
  if (end.kind === 'ended') return end.status;
  if (end.kind === 'killed') return signalExitStatus(end.signal);
  return end.errno === 'ENOENT' ? 127 : 126;
}

class RunningChild implements Child {
  readonly pid: number | undefined;
  readonly ended: Promise<ChildEnd>;
  readonly stderr: Readable | null;
  readonly #process: ChildProcess;
  readonly #group: number | undefined;
  readonly #clock: Clock;
  #hasEnded = false;
  #ending: Promise<void> | undefined;

  constructor(started: ChildProcess, ownGroup: boolean, clock: Clock) {
    this.#process = started;
    this.pid = started.pid;
    this.stderr = started.stderr;
    this.#group = ownGroup ? started.pid : undefined;
    this.#clock = clock;
    this.ended = endOf(started, () => {
      this.#hasEnded = true;
    });
  }

  signal(name: NodeJS.Signals): SignalResult {
    // Once the child is reaped, its pid may belong to another process.
    return this.pid === undefined || this.#hasEnded ? 'gone' : sendSignal(this.pid, name);
  }

  signalAll(name: NodeJS.Signals): SignalResult {
    return this.#group === undefined ? this.signal(name) : signalGroup(this.#group, name);
  }

  async isLeft(): Promise<boolean> {
    if (!this.#hasEnded) return this.pid !== undefined;
    return this.#group !== undefined && (await isGroupLeft(this.#group));
  }

  goneWithin(graceMs: number, killing: () => void = () => {}): Promise<void> {
    this.#ending ??= this.#end(graceMs, killing);
    return this.#ending;
  }

  unref(): void {
    this.#process.unref();
  }

  async #end(graceMs: number, killing: () => void): Promise<void> {
    if (await this.#isGoneWithin(graceMs)) return;
    killing();
    this.signalAll('SIGKILL');
    await this.#isGoneWithin(Number.POSITIVE_INFINITY);
  }

  async #isGoneWithin(ms: number): Promise<boolean> {
    const endMs = this.#clock.monoMs() + ms;
    for (let pollMs = MIN_POLL_MS; await this.isLeft(); pollMs = Math.min(MAX_POLL_MS, pollMs * 2)) {
      const leftMs = endMs - this.#clock.monoMs();
      if (leftMs <= 0) return false;
      await this.#clock.sleep(Math.min(pollMs, leftMs), NEVER);
    }
    return true;
  }
}

function neverStarted(errno: string): Child {
  return {
    pid: undefined,
    stderr: null,
    ended: Promise.resolve({ kind: 'not-started', errno }),
    signal: () => 'gone',
    signalAll: () => 'gone',
    isLeft: async () => false,
    goneWithin: async () => {},
    unref: () => {},
  };
}

/** Keeps only the errno of an error: its text may hold an argument or a variable (Node quotes one that has a NUL). */
function spawn({ argv, env, stdio, ownGroup }: ChildOptions): ChildProcess | { readonly errno: string } {
  try {
    const started = process
      .getBuiltinModule('node:child_process')
      .spawn(argv[0] as string, argv.slice(1), { detached: ownGroup, stdio, env });
    restoreCoreDumps(started.pid);
    return started;
  } catch (error) {
    return { errno: errnoWord(error) };
  }
}

/** @param reaped called at the moment from which on the child's pid may be given to another process. */
function endOf(child: ChildProcess, reaped: () => void): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'not-started', errno: errnoWord(error) }));
    child.once('exit', (status, by) => {
      reaped();
      resolve(by === null ? { kind: 'ended', status: status ?? 0 } : { kind: 'killed', signal: by });
    });
  });
}
