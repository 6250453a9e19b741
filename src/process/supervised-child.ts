import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { type Child, type ChildEnd, type ChildOptions, exitStatusOfChild, startChild } from './child.ts';
import { wouldEnd } from './signal-masks.ts';
import type { SignalResult } from './signals.ts';

/** How the child is started and stopped, as it is at the moment of a start. */
export interface Launch extends ChildOptions {
  /** Of its variables; 0 when none of them are ours. */
  readonly generation: number;
  readonly stopSignal: NodeJS.Signals;
  readonly graceMs: number;
  /** What to do when it ends by itself. */
  readonly onExit: 'end' | 'restart';
}

export interface SupervisedChildDeps {
  /** Asked anew at each start. */
  readonly launch: () => Launch;
  /** As of the present configuration. */
  readonly graceMs: () => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

/** How it all ended. */
export interface ExecResult {
  readonly status: number;
  /** Why the command could not be started. */
  readonly failure?: Failure;
}

interface Run {
  readonly child: Child;
  readonly launch: Launch;
  readonly startedMs: number;
  /** By us, for new values: its end is ours. */
  isReplaced: boolean;
  /** Asked to stop, so that all of it will be gone. */
  isStopping: boolean;
  hasEnded: boolean;
}

/** Between the end of a child and its next start, with `onExit: restart`. */
const AGAIN = { floorMs: 1_000, baseMs: 1_000, capMs: 60_000 };
/** One that lived this long did not crash at its start. */
const SETTLED_MS = 60_000;
const PLACE = 'exec.command';

/**
 * The application, from its first start to the end of exec: idle → runs → … → over.
 *
 * While it runs, either side may end it. `restart` (new values) stops it and the next one starts at once: that exit is
 * ours. `stop` (somebody ends exec) stops it, and exec is over with its status. When it ends by itself exec is over as
 * well, or with `onExit: restart` it pauses, longer from exit to exit, and starts again; new values end a pause.
 * Whatever a child leaves behind in its process group is ended before the next one starts, or before exec ends.
 */
export class SupervisedChild {
  readonly #options: SupervisedChildDeps;
  readonly #started = Promise.withResolvers<void>();
  #run: Run | undefined;
  #starts = 0;
  #over: Promise<ExecResult> | undefined;
  #isEnding = false;
  #pause = new AbortController();
  #next = Promise.withResolvers<void>();

  constructor(parts: SupervisedChildDeps) {
    this.#options = parts;
  }

  /** How long it may take to stop. */
  get graceMs(): number {
    return this.#options.graceMs();
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Whether `start` was called. */
  get isStarted(): boolean {
    return this.#over !== undefined;
  }

  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Whether there is a process to send signals to. */
  get isRunning(): boolean {
    return this.#run !== undefined && !this.#run.hasEnded;
  }

  /** Starts it, the first time it is called. Resolves when exec is over, and never rejects. */
  start(): Promise<ExecResult> {
    this.#over ??= this.#keep().finally(() => this.#next.resolve());
    this.#started.resolve();
    return this.#over;
  }

  /**
   * Stops the child, and resolves when the next has been started. Before the first start there is nothing to do: it
   * will have the newest of everything.
   * @param generation of the variables that it is to have; one that has them already goes on. Absent: it never does.
   */
  async restart(place: string, generation?: number): Promise<Failure | undefined> {
    const run = this.#run;
    if (run === undefined || this.#isEnding) return undefined;
    if (generation !== undefined && run.launch.generation >= generation) return undefined;
    const { promise } = this.#next;
    if (run.isReplaced) {
      await promise; // it is on its way out, and the next one reads everything anew
      return undefined;
    }
    run.isReplaced = true;
    this.#pause.abort();
    if (!run.hasEnded && this.#stop(run, run.launch.stopSignal, 'changed') === 'refused') {
      run.isReplaced = false;
      return failure('RELOAD_NOT_PERMITTED', place, `the child (process ${run.child.pid}) may not be signalled`);
    }
    await promise;
    return undefined;
  }

  /**
   * Sends a reload signal to the child alone, as `nginx -s reload` does to the master. Nobody to send it to is fine:
   * the next child reads everything anew.
   */
  async signal(name: NodeJS.Signals, place: string): Promise<Failure | undefined> {
    const run = this.#run;
    if (run?.child.pid === undefined || run.hasEnded || run.isReplaced || this.#isEnding) return undefined;
    const { pid } = run.child;
    if (await wouldEnd(pid, name)) {
      return failure('RELOAD_NO_HANDLER', place, `process ${pid} does not handle ${name}, which would end it`);
    }
    if (run.child.signal(name) !== 'refused') return undefined;
    return failure('RELOAD_NOT_PERMITTED', place, `the child (process ${pid}) may not be sent ${name}`);
  }

  /** Passes a signal on to all of the child. */
  forward(name: NodeJS.Signals): void {
    const run = this.#run;
    if (run?.child.pid === undefined || run.hasEnded) return;
    this.#options.emit({ kind: 'child-signalled', pid: run.child.pid, signal: name });
    run.child.signalAll(name);
  }

  /** Ends exec: all of the child gets `name` now, and SIGKILL after the grace. Again: `name` is sent again. */
  stop(name: NodeJS.Signals): void {
    const run = this.#run;
    const isFirst = !this.#isEnding;
    this.#isEnding = true;
    this.#pause.abort();
    if (run === undefined || run.hasEnded) return;
    if (isFirst && !run.isReplaced) this.#stop(run, name, 'asked');
    else this.forward(name);
  }

  /** For the last moment of our own process: what is left of the child is asked to stop, and not waited for. */
  abandon(): void {
    const run = this.#run;
    if (run !== undefined && !run.hasEnded) run.child.signalAll(run.launch.stopSignal);
  }

  async #keep(): Promise<ExecResult> {
    let exits = 0;
    for (let why: 'first' | 'changed' | 'exited' = 'first'; ; ) {
      const run = this.#begin(why);
      const end = await run.child.ended;
      run.hasEnded = true;
      const livedMs = this.#options.clock.monoMs() - run.startedMs;
      exits = livedMs >= SETTLED_MS ? 1 : exits + 1;
      const pauses = run.launch.onExit === 'restart' && !run.isReplaced && !this.#isEnding;
      if (!pauses && !run.isReplaced) this.#isEnding = true; // whatever is asked for from now on comes too late
      const retryInMs = pauses ? backoffMs(exits, this.#options.random, undefined, AGAIN) : undefined;
      const over = this.#tell(run, end, livedMs, retryInMs);
      await this.#endRest(run);
      if (retryInMs !== undefined) await this.#options.clock.sleep(retryInMs, this.#pause.signal);
      if (this.#isEnding) return over;
      why = run.isReplaced ? 'changed' : 'exited';
      if (run.isReplaced) exits = 0;
    }
  }

  #begin(why: 'first' | 'changed' | 'exited'): Run {
    const launch = this.#options.launch();
    const child = startChild(launch, this.#options.clock);
    const startedMs = this.#options.clock.monoMs();
    const run = { child, launch, startedMs, isReplaced: false, isStopping: false, hasEnded: false };
    this.#run = run;
    this.#starts++;
    this.#pause = new AbortController();
    if (child.pid !== undefined) this.#options.emit({ kind: 'child-started', pid: child.pid, why });
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
    return run;
  }

  #tell({ child, launch }: Run, end: ChildEnd, livedMs: number, retryInMs: number | undefined): ExecResult {
    const status = exitStatusOfChild(end);
    const retry = retryInMs === undefined ? {} : { retryInMs };
    if (end.kind !== 'not-started') {
      this.#options.emit({ kind: 'child-ended', pid: child.pid ?? 0, status, livedMs, ...retry });
      return { status };
    }
    const why = notStarted(launch.argv[0] ?? '', end.errno);
    this.#options.emit({ kind: 'child-failed', failure: why, ...retry });
    return { status, failure: why };
  }

  #stop(run: Run, signal: NodeJS.Signals, why: 'changed' | 'asked' | 'exited'): SignalResult {
    const { pid = 0 } = run.child;
    const sent = run.child.signalAll(signal);
    if (sent === 'refused' && why === 'changed') return sent;
    run.isStopping = true;
    this.#options.emit({ kind: 'child-stopping', pid, signal, why });
    const { graceMs } = run.launch;
    void run.child.goneWithin(graceMs, () => this.#options.emit({ kind: 'child-killed', pid, graceMs }));
    return sent;
  }

  /** What it started and left in its group: the next child would meet it on its port. */
  async #endRest(run: Run): Promise<void> {
    if (!(await run.child.isLeft())) return;
    if (!run.isStopping) this.#stop(run, run.launch.stopSignal, 'exited');
    await run.child.goneWithin(run.launch.graceMs);
  }
}

function notStarted(program: string, errno: string): Failure {
  if (errno === 'E2BIG') {
    const hint =
      'Give fewer or smaller values, or use files: variables and arguments share a quarter of the stack limit.';
    return failure('EXEC_NOT_STARTED', PLACE, 'variables and arguments are larger than the system takes', { hint });
  }
  return failure('EXEC_NOT_STARTED', PLACE, `${program} cannot be started (${errno})`);
}
