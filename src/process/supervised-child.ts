import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { type Child, type ChildEnd, type ChildOptions, exitStatusOfChild, startChild } from './child.ts';
import { wouldEnd } from './signal-masks.ts';
import type { SignalResult } from './signals.ts';

/** How to start and stop one run of the child; fixed at the run's start. */
export interface Launch extends ChildOptions {
  /** The generation of each output that the child finds when it starts: by directory, or `exec.env`. */
  readonly generations: ReadonlyMap<string, number>;
  readonly stopSignal: NodeJS.Signals;
  /** How long the child may take to end after `stopSignal`, before SIGKILL. */
  readonly graceMs: number;
  /** What to do when the child ends by itself. */
  readonly onExit: 'end' | 'restart';
}

export interface SupervisedChildDeps {
  /** Called at each start. */
  readonly launch: () => Launch;
  /** The grace of the present configuration, which the next start will use. */
  readonly graceMs: () => number;
  /**
   * Resolves when no output but `except` is about to publish, so that changes that come together are one restart. It is
   * bounded in time, and never rejects. Absent: a restart waits for nothing.
   */
  readonly untilSettled?: (except: string | undefined) => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
}

/** A generation that the child must have. */
export interface Wanted {
  /** The output's directory, or `exec.env`. */
  readonly output: string;
  readonly generation: number;
}

/** How exec ended. */
export interface ExecResult {
  /** Exit status of the last run, as a shell gives it. */
  readonly status: number;
  /** Why the last run could not be started; absent when it was. */
  readonly failure?: Failure;
}

/** One process from its start to the end of its group. */
interface Run {
  readonly child: Child;
  readonly launch: Launch;
  readonly startedMonoMs: number;
  /** Set by `restart`: the next run follows, whatever status this one ends with. */
  isReplaced: boolean;
  /** The group got a stop signal, and will get SIGKILL after the grace. */
  isStopping: boolean;
  /** The process itself has ended; other processes of its group may still run. */
  hasEnded: boolean;
}

/** The pause between the end of a run and the next start, with `onExit: restart`. */
const RESTART_BACKOFF = { floorMs: 1_000, baseMs: 1_000, capMs: 60_000 };
/** After a run that lived this long, the backoff begins anew. */
const SETTLED_MS = 60_000;
const PLACE = 'exec.command';

/**
 * The application that exec runs, from its first start to the end of exec. Each start of the command is a run.
 *
 * The states, and what moves it on:
 *
 * - `idle`: there has been no run. `start` → `running`; `restart`, `signal` and `forward` do nothing.
 * - `running`: the process runs. `restart` → `replacing`, unless the run has read the generation already or may not be
 *   signalled. `stop` → `ending`. Ended by itself, or could not be started → `pausing` with `onExit: restart`, else →
 *   `ending`.
 * - `replacing`: the group got the stop signal, since there are new values. All of it gone → `running` with the next
 *   run; the status of this one does not count. `stop` → `ending`, and the group gets that signal too.
 * - `pausing`: the next run starts after a backoff, from 1 s up to 1 m; the backoff begins anew after a run that lived
 *   for a minute and after a restart. Backoff over, or `restart` → `running`. `stop` → `ending`.
 * - `ending`: no run will follow. `restart` and `signal` do nothing; `stop` sends its signal again while the process
 *   runs. All of the group gone → `over`.
 * - `over`: the promise of `start` has resolved, with the status of the last run.
 *
 * What always holds:
 * - Between two runs, and before exec is over, the whole process group of the run that has ended is gone: what the
 *   process left behind gets the stop signal, and SIGKILL after the grace. So there are never two groups at a time. A
 *   child without a group of its own (`ownGroup: false`) counts alone.
 * - The signal, grace and `onExit` of a run are those of its start; a changed configuration counts from the next run.
 * - `#run` is the last run; undefined only in `idle`. `#isEnding` is set in `ending` and `over`, and never reset.
 * - `#pause` is aborted when nothing may wait for the pause of this run any more; each run has a new one.
 * - `#next` resolves when the next run has started, or when exec is over; each run has a new one.
 */
export class SupervisedChild {
  readonly #deps: SupervisedChildDeps;
  readonly #started = Promise.withResolvers<void>();
  #run: Run | undefined;
  #starts = 0;
  #result: Promise<ExecResult> | undefined;
  #isEnding = false;
  #pause = new AbortController();
  #next = Promise.withResolvers<void>();

  constructor(deps: SupervisedChildDeps) {
    this.#deps = deps;
  }

  /** How long the child may take to stop, by the present configuration. */
  get graceMs(): number {
    return this.#deps.graceMs();
  }

  /** How many runs there were. */
  get starts(): number {
    return this.#starts;
  }

  /** Whether `start` was called. */
  get isStarted(): boolean {
    return this.#result !== undefined;
  }

  /** Resolves when `start` is called. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Whether the process runs now, so that it can get signals. */
  get isRunning(): boolean {
    return this.#run !== undefined && !this.#run.hasEnded;
  }

  /** Whether the present run was started when this generation, or a later one, was published. */
  hasRead({ output, generation }: Wanted): boolean {
    return (this.#run?.launch.generations.get(output) ?? 0) >= generation;
  }

  /** Begins the first run; later calls do not. Resolves when exec is over, and never rejects. */
  start(): Promise<ExecResult> {
    this.#result ??= this.#supervise().finally(() => this.#next.resolve());
    this.#started.resolve();
    return this.#result;
  }

  /**
   * Replaces the run by another one, and resolves when that has been started or exec is over. Does nothing before the
   * first run, which will have the newest values, and once exec is ending. Failure: RELOAD_NOT_PERMITTED.
   * @param wanted the generation that the child must have read: a run that has read it already is not replaced.
   * Absent: any run is replaced.
   */
  async restart(place: string, wanted?: Wanted): Promise<Failure | undefined> {
    if (this.#run === undefined) return undefined;
    await this.#deps.untilSettled?.(wanted?.output);
    const run = this.#run;
    if (this.#isEnding || (wanted !== undefined && this.hasRead(wanted))) return undefined;
    const { promise } = this.#next;
    if (run.isReplaced) {
      await promise; // the run is being replaced already, and the next one reads everything anew
      return undefined;
    }
    run.isReplaced = true;
    this.#pause.abort();
    if (!run.hasEnded && this.#stop(run, run.launch.stopSignal, 'changed') === 'refused') {
      run.isReplaced = false;
      return failure(
        'RELOAD_NOT_PERMITTED',
        place,
        `Pannier may not send signals to the child (process ${run.child.pid})`,
      );
    }
    await promise;
    return undefined;
  }

  /**
   * Sends a reload signal to the child alone, as `nginx -s reload` does to the master. Does nothing while there is no
   * process, or it is being replaced: the next run reads everything anew. Failures: RELOAD_NO_HANDLER,
   * RELOAD_NOT_PERMITTED.
   */
  async signal(name: NodeJS.Signals, place: string): Promise<Failure | undefined> {
    const run = this.#run;
    if (run?.child.pid === undefined || run.hasEnded || run.isReplaced || this.#isEnding) return undefined;
    const { pid } = run.child;
    if (await wouldEnd(pid, name)) {
      return failure('RELOAD_NO_HANDLER', place, `process ${pid} does not handle ${name}, which would end it`);
    }
    if (run.child.signal(name) !== 'refused') return undefined;
    return failure('RELOAD_NOT_PERMITTED', place, `Pannier may not send ${name} to the child (process ${pid})`);
  }

  /** Sends a signal to the child's whole group; does nothing while there is no process. */
  forward(name: NodeJS.Signals): void {
    const run = this.#run;
    if (run?.child.pid === undefined || run.hasEnded) return;
    this.#deps.emit({ kind: 'child-signalled', pid: run.child.pid, signal: name });
    run.child.signalAll(name);
  }

  /**
   * Ends exec: the child's whole group gets `name` now, and SIGKILL after the grace. A further call sends `name` again.
   */
  stop(name: NodeJS.Signals): void {
    const run = this.#run;
    const isFirst = !this.#isEnding;
    this.#isEnding = true;
    this.#pause.abort();
    if (run === undefined || run.hasEnded) return;
    if (isFirst && !run.isReplaced) this.#stop(run, name, 'asked');
    else this.forward(name);
  }

  /** For the last moment of Pannier's own process: the child's group gets its stop signal, and is not waited for. */
  abandon(): void {
    const run = this.#run;
    if (run !== undefined && !run.hasEnded) run.child.signalAll(run.launch.stopSignal);
  }

  async #supervise(): Promise<ExecResult> {
    let exits = 0;
    for (let why: 'first' | 'changed' | 'exited' = 'first'; ; ) {
      const run = this.#begin(why);
      const end = await run.child.ended;
      run.hasEnded = true;
      const livedMs = this.#deps.clock.monoMs() - run.startedMonoMs;
      exits = livedMs >= SETTLED_MS ? 1 : exits + 1;
      const pauses = run.launch.onExit === 'restart' && !run.isReplaced && !this.#isEnding;
      if (!pauses && !run.isReplaced) this.#isEnding = true; // a restart that is asked for from now on comes too late
      const retryInMs = pauses ? backoffMs(exits, this.#deps.random, undefined, RESTART_BACKOFF) : undefined;
      const result = this.#report(run, end, livedMs, retryInMs);
      await this.#endGroup(run);
      if (retryInMs !== undefined) await this.#deps.clock.sleep(retryInMs, this.#pause.signal);
      if (this.#isEnding) return result;
      why = run.isReplaced ? 'changed' : 'exited';
      if (run.isReplaced) exits = 0;
    }
  }

  #begin(why: 'first' | 'changed' | 'exited'): Run {
    const launch = this.#deps.launch();
    const child = startChild(launch, this.#deps.clock);
    const startedMonoMs = this.#deps.clock.monoMs();
    const run = { child, launch, startedMonoMs, isReplaced: false, isStopping: false, hasEnded: false };
    this.#run = run;
    this.#starts++;
    this.#pause = new AbortController();
    if (child.pid !== undefined) this.#deps.emit({ kind: 'child-started', pid: child.pid, why });
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers();
    resolve();
    return run;
  }

  #report({ child, launch }: Run, end: ChildEnd, livedMs: number, retryInMs: number | undefined): ExecResult {
    const status = exitStatusOfChild(end);
    const retry = retryInMs === undefined ? {} : { retryInMs };
    if (end.kind !== 'not-started') {
      this.#deps.emit({ kind: 'child-ended', pid: child.pid ?? 0, status, livedMs, ...retry });
      return { status };
    }
    const why = notStarted(launch.argv[0] ?? '', end.errno);
    this.#deps.emit({ kind: 'child-failed', failure: why, ...retry });
    return { status, failure: why };
  }

  #stop(run: Run, signal: NodeJS.Signals, why: 'changed' | 'asked' | 'exited'): SignalResult {
    const { pid = 0 } = run.child;
    const sent = run.child.signalAll(signal);
    if (sent === 'refused' && why === 'changed') return sent;
    run.isStopping = true;
    this.#deps.emit({ kind: 'child-stopping', pid, signal, why });
    const { graceMs } = run.launch;
    void run.child.goneWithin(graceMs, () => this.#deps.emit({ kind: 'child-killed', pid, graceMs }));
    return sent;
  }

  /** Ends what is left of the run's group: it could still hold the port that the next run wants. */
  async #endGroup(run: Run): Promise<void> {
    if (!(await run.child.isLeft())) return;
    if (!run.isStopping) this.#stop(run, run.launch.stopSignal, 'exited');
    await run.child.goneWithin(run.launch.graceMs);
  }
}

function notStarted(program: string, errno: string): Failure {
  if (errno === 'E2BIG') {
    const hint =
      'Give fewer or smaller values, or use files: variables and arguments share a quarter of the stack limit.';
    return failure('EXEC_NOT_STARTED', PLACE, 'the variables and arguments are larger than the system allows', {
      hint,
    });
  }
  return failure('EXEC_NOT_STARTED', PLACE, `${program} cannot be started (${errno})`);
}
