import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { errnoWord } from '../base/errno.ts';
import type { Environment } from '../config/environment.ts';
import { isGroupLeft, signalGroup } from './group.ts';
import { type SignalResult, sendSignal, signalExitStatus } from './signals.ts';

/** Between two looks whether anything is left: doubled from the first to the second. */
const POLL_MS = 10;
const MAX_POLL_MS = 200;
const NEVER = new AbortController().signal;

export interface ChildOptions {
  /** The program and its arguments; there is no shell. Not empty. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdio: StdioOptions;
  /** Leads a process group and session of its own, which is what `signalAll` and `goneWithin` mean then. */
  readonly ownGroup: boolean;
}

/** How a child ended. */
export type ChildEnd =
  | { readonly kind: 'ended'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  /** It never ran; `errno` such as ENOENT, or `unknown`. */
  | { readonly kind: 'not-started'; readonly errno: string };

/** A process of ours. */
export interface Child {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Never rejects. What it left behind in its group may go on. */
  readonly ended: Promise<ChildEnd>;
  /** Its standard error; null unless that is a pipe. */
  readonly stderr: Readable | null;
  /** Signals the child alone. */
  signal(name: NodeJS.Signals): SignalResult;
  /** Signals its whole group; the child alone where it has none of its own. */
  signalAll(name: NodeJS.Signals): SignalResult;
  /** Whether anything of it runs. */
  isLeft(): Promise<boolean>;
  /**
   * Resolves when all of it is gone, with SIGKILL to what is left after `graceMs`. A second call joins the first one.
   * Only what may not be signalled, such as a program of another user, is waited for without an end.
   * @param killing told before SIGKILL.
   */
  goneWithin(graceMs: number, killing?: () => void): Promise<void>;
  /** Lets our process end before the child. */
  unref(): void;
}

/** Starts a child; what is wrong with that is told by `ended`. */
export function startChild(options: ChildOptions, clock: Clock): Child {
  const started = spawn(options);
  if ('errno' in started) return neverStarted(started.errno);
  return new Running(started, options.ownGroup, clock);
}

/**
 * The status a shell gives: its own, 128+n after a signal, 127 for a program that is not there, 126 for another reason.
 */
export function exitStatusOfChild(end: ChildEnd): number {
  if (end.kind === 'ended') return end.status;
  if (end.kind === 'killed') return signalExitStatus(end.signal);
  return end.errno === 'ENOENT' ? 127 : 126;
}

class Running implements Child {
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
    // Once it is reaped its number may be another's.
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
    for (let pollMs = POLL_MS; await this.isLeft(); pollMs = Math.min(MAX_POLL_MS, pollMs * 2)) {
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

/** A foreign error's text may hold an argument or a variable (a NUL in one is thrown with its value): errno only. */
function spawn({ argv, env, stdio, ownGroup }: ChildOptions): ChildProcess | { readonly errno: string } {
  try {
    return process
      .getBuiltinModule('node:child_process')
      .spawn(argv[0] as string, argv.slice(1), { detached: ownGroup, stdio, env });
  } catch (error) {
    return { errno: errnoWord(error) };
  }
}

/** @param reaped called in the instant from which on its number may be given to another. */
function endOf(child: ChildProcess, reaped: () => void): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ kind: 'not-started', errno: errnoWord(error) }));
    child.once('exit', (status, by) => {
      reaped();
      resolve(by === null ? { kind: 'ended', status: status ?? 0 } : { kind: 'killed', signal: by });
    });
  });
}
