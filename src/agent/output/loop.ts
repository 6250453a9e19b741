import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { onAbort } from '../../base/on-abort.ts';
import type { Tracing } from '../../base/tracing.ts';
import type { Config, GenerationsConfig, OutputConfig } from '../../config/config.ts';
import { placeOfOutput } from '../../config/place.ts';
import type { Wish } from '../../deliver/api/api-agent.ts';
import type { OutputState } from '../../deliver/output-state.ts';
import type { Difference, Sink } from '../../deliver/sink.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Check } from '../../reload/check.ts';
import type { Reload } from '../../reload/reload.ts';
import type { Renderer } from '../../render/render.ts';
import type { Looks, LooksDeps } from './looks.ts';
import { LoopSleep } from './loop-sleep.ts';
import { PublishTimer } from './publish-timer.ts';
import { Publisher } from './publisher.ts';
import { RetryTimer } from './retry-timer.ts';
import { Standing } from './standing.ts';
import { TakeUp, type TakeUpDeps } from './take-up.ts';
import { UsedValues } from './used-values.ts';
import type { OutputNeeds } from './wants.ts';
import { type PendingWish, Wishes } from './wishes.ts';

export interface OutputLoopOptions {
  readonly output: GenerationsConfig & Partial<Pick<OutputConfig, 'dir' | 'drift' | 'keep'>>;
  /** The configuration that the output is of; absent: nothing is said of its generations. */
  readonly config?: Config | undefined;
  /** The application keeps what it was started with, whatever is published later. Absent: it does not. */
  readonly keepsFirst?: boolean;
  readonly renderer: Renderer;
  readonly sink: Sink;
  /** Looks at each candidate before it is published. Absent: none is checked. */
  readonly check?: Check;
  /** Looks again at what is published. Absent: nothing does. */
  readonly createLooks?: ((deps: LooksDeps) => Looks) | undefined;
  /** Steps in order; the first that fails ends the round, and the next round begins with it. */
  readonly reloads: readonly Reload[];
  /** Runs the steps. Undefined where there is none. */
  readonly createRound: TakeUpDeps['createRound'];
  readonly manager: LeaseManager;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  readonly onState: (state: OutputState) => void;
  /** The templates computed other paths than before: `needs` is another one. */
  readonly onNeeds: () => void;
  /** The loop that had this output with the configuration before; this one begins when that one has ended. */
  readonly before?: Pick<OutputLoop, 'state' | 'dueMonoMs' | 'takeUp' | 'used'> | undefined;
  /** This replica's share of the output's `reloadSpreadMs`, in [0, 1). Absent: reloads are not spread. */
  readonly reloadShare?: number | undefined;
}

/** Rendering, publishing and sweeping together take no longer than this, unless the disk hangs. */
const ROUND_MS = 60_000;

/**
 * One output from its secrets to the application. The states, and what moves the output on:
 *
 * - `waiting`: some secrets have no value yet. When an attempt for one of the output's secrets ends → rendered again.
 * - `failed`: rendering or publishing failed, and the published generation stays. A change of a secret → rendered
 *   again; so does the retry, which is planned unless the failure would only repeat itself.
 * - `owed`: a generation is published, and the application was not told, or telling it failed with `why`. At the retry
 *   → a reload round. All steps done → `settled`. A step failed → `owed` with `why`, and the next round comes after a
 *   backoff, or as soon as what the step failed for has changed.
 * - `settled`: the application has the published generation. With `why` the mark on disk does not say so yet: at the
 *   retry the mark is written again.
 * - From every state, when the publish timer is due → rendered and published: `waiting`, `failed`, `owed` (a new
 *   generation, or equal bytes and a reload still owed) or `settled`.
 *
 * A published generation is looked at again (`looks.ts`). What others have changed is published anew; until then
 * `owed` and `settled` say so with `drift`.
 *
 * What always holds:
 *
 * - `run` does one thing at a time. `wake` and `retire`, which others call meanwhile, only note what they say and end a
 *   sleep. `reloadAgain` also enters `owed`; `TakeUp.settle` looks for that after its write, and leaves the state as
 *   it is.
 * - `#retry` plans one thing, which the state names: `failed` publishing, `owed` a reload, `settled` writing the mark.
 * - `#published` is undefined until the first publish of this loop is through, and then the generation that the output
 *   has (0: none). Until then `#recovered` stands for it, the generation that an earlier loop or process left.
 * - `#before` is held until this loop has begun, and not longer: each loop would hold all the loops before it.
 * - Nothing here fetches. What fails is tried again with the values that are there.
 *
 * Each output has a loop of its own, so a command that hangs or a full disk delays no other output.
 */
export class OutputLoop {
  readonly #options: Omit<OutputLoopOptions, 'before'>;
  readonly #place: string;
  readonly #publishTimer: PublishTimer;
  readonly #publisher: Publisher;
  readonly #retry: RetryTimer;
  readonly #sleep: LoopSleep;
  readonly #wishes: Wishes;
  readonly #standing: Standing;
  /** How far the application is; the next loop of this output goes on with it. */
  readonly takeUp: TakeUp;
  /** What the generations are made of; the next loop of this output goes on with it. */
  readonly used: UsedValues;
  #before: OutputLoopOptions['before'];
  /** Absent where nothing is looked at again. */
  readonly #looks: Looks | undefined;
  #published: number | undefined;
  #recovered: number | undefined;
  /** The missing secrets that were told last, joined. */
  #toldMissing = '';
  #isRetired = false;

  constructor({ before, ...options }: OutputLoopOptions) {
    const { output, renderer, sink, check, reloads, manager, clock, random, onNeeds, onState } = options;
    this.#options = options;
    this.#before = before;
    this.#place = placeOfOutput(output.name);
    this.#wishes = new Wishes(this.#place);
    this.#retry = new RetryTimer(clock, random);
    this.#publishTimer = new PublishTimer({ output, manager, clock, names: renderer.wants });
    this.used = before?.used ?? new UsedValues();
    const roundMs = reloads.reduce((sum, { timeoutMs = 0 }) => sum + timeoutMs, ROUND_MS + (check?.timeoutMs ?? 0));
    this.#sleep = new LoopSleep(clock, roundMs, Math.max(before?.dueMonoMs ?? 0, clock.monoMs()));
    // What the loop before has published stays published while this loop looks at it anew.
    this.#standing = new Standing(
      before === undefined || before.state.kind === 'waiting'
        ? { kind: 'waiting', missing: [...renderer.wants] }
        : before.state,
      () => {
        const { held } = this.#publisher;
        const drift = this.#looks?.why;
        return { ...(held && { held }), ...(drift && { drift }) };
      },
      onState,
    );
    const wake = () => this.#sleep.wake();
    const deps = { ...options, place: this.#place, used: this.used };
    if (sink.drift !== undefined) this.#looks = options.createLooks?.({ ...deps, onHint: wake });
    this.takeUp = new TakeUp({
      ...deps,
      mark: sink.mark,
      names: () => this.#publisher.needed.names,
      standing: this.#standing,
      retry: this.#retry,
      onDue: wake,
      goBack: (generation, why) => this.#goBack(generation, why),
    });
    this.#publisher = new Publisher({
      ...deps,
      looks: this.#looks,
      progress: this.takeUp.progress,
      onNeeds: () => {
        this.#publishTimer.follow(this.#publisher.needed.names);
        onNeeds();
      },
    });
  }

  /** The secrets that the output needs now; its templates add to them while they render. */
  get needs(): OutputNeeds {
    return this.#publisher.needed.current;
  }

  get state(): OutputState {
    return this.#standing.state;
  }

  /** See `Publisher.kept`. */
  get kept(): readonly number[] {
    return this.#publisher.kept;
  }

  /** Whether the application may use this version of a want's value. */
  uses(wantId: string, version: string): boolean {
    return this.used.has(wantId, version, this.#options.keepsFirst === true);
  }

  /** Whether a change of a secret is still to be published. */
  get isBehind(): boolean {
    return this.#publishTimer.isBehind;
  }

  /** Whether another generation may follow the published one in a moment. */
  get isReplacing(): boolean {
    return this.#published !== undefined && (this.isBehind || this.#standing.isPublishing);
  }

  /** When the loop has come round at the latest, on the monotonic clock: past it, the loop hangs. */
  get dueMonoMs(): number {
    return this.#sleep.dueMonoMs;
  }

  /** An attempt for one of the output's secrets ended. @param changed whether it brought another value or state. */
  wake(changed: boolean): void {
    if (changed) this.#publisher.overtake();
    const isDueAnew = this.#publishTimer.attemptEnded(changed, this.state.kind === 'waiting');
    if (isDueAnew) this.#sleep.wake();
  }

  /**
   * Tells the application of the published generation once more, now. False when nothing is published as it should be.
   */
  reloadAgain(): boolean {
    return this.takeUp.again();
  }

  /** Asks for something, and resolves to why it could not be done; undefined: it was. */
  ask(wish: Wish): Promise<Failure | undefined> {
    const answer = this.#wishes.add(wish);
    this.#sleep.wake();
    return answer;
  }

  /** Lets `run` end when what it does now is done, a running reload included: another loop takes the output over. */
  retire(): void {
    this.#isRetired = true;
    this.#sleep.wake();
  }

  /** Runs until `signal` aborts or the loop is retired. */
  async run(signal: AbortSignal): Promise<void> {
    const stopListening = onAbort(signal, () => this.#sleep.wake());
    await this.#recover(signal);
    while (!this.#isOver(signal)) {
      const now = this.#options.clock.monoMs();
      const { state } = this;
      this.#sleep.roundBegins();
      const { recheckAtMs } = this.#publisher;
      const publishAtMs = Math.min(this.#publishTimer.dueMonoMs(), recheckAtMs);
      const retryAtMs = this.#retry.dueMonoMs;
      const { sweepAtMs } = this.#publisher;
      const lookAtMs = this.#looks?.dueMonoMs(this.#standing.generation !== undefined) ?? Number.POSITIVE_INFINITY;
      const isRetry = retryAtMs <= now;
      const wish = this.#wishes.next();
      if (wish !== undefined) await this.#carryOut(wish, signal);
      else if (publishAtMs <= now || (isRetry && state.kind === 'failed')) await this.#publish(signal);
      else if (isRetry && state.kind === 'owed') await this.takeUp.reload(state.generation, signal);
      else if (isRetry && state.kind === 'settled') await this.takeUp.settle(state.generation);
      else if (lookAtMs <= now) await this.#look(this.#looks as Looks, signal);
      else if (sweepAtMs <= now) await this.#publisher.sweep();
      else await this.#sleep.sleep(Math.min(publishAtMs, retryAtMs, sweepAtMs, lookAtMs) - now);
    }
    stopListening();
    this.#looks?.[Symbol.dispose]();
    this.takeUp.stopLooking();
    this.#sleep.loopEnded();
    this.#wishes.end();
  }

  #isOver(signal: AbortSignal): boolean {
    return signal.aborted || this.#isRetired;
  }

  async #recover(signal: AbortSignal): Promise<void> {
    if (this.#before !== undefined) this.takeUp.follow(this.#before.takeUp);
    this.#before = undefined;
    while (!this.#isOver(signal)) {
      this.#sleep.roundBegins();
      try {
        this.#recovered = await this.#publisher.recover();
        return this.#retry.succeeded();
      } catch (error) {
        const retryInMs = this.#failed(asFailure(error, this.#place));
        if (!this.#isOver(signal)) await this.#sleep.sleep(retryInMs);
      }
    }
  }

  /** @param isTakenUp the application has these bytes already; only what is around them is put right. */
  async #publish(signal: AbortSignal, isTakenUp = false): Promise<void> {
    const { tracing, output } = this.#options;
    const work = { kind: 'publish', output: output.name, secrets: this.#publisher.needed.names } as const;
    const run = () => this.#publishNow(signal, isTakenUp);
    return tracing?.within(work, run) ?? run();
  }

  async #publishNow(signal: AbortSignal, isTakenUp: boolean): Promise<void> {
    this.#publishTimer.publishBegins();
    this.#standing.publishBegins();
    this.#retry.cancel();
    try {
      const result = await this.#publisher.publish(signal);
      if (result.kind === 'failed') return void this.#failed(result.why);
      if (result.kind === 'overtaken') return; // the change that has come makes the next publish due
      if (result.kind === 'refused') return await this.#refused(result.why, signal);
      if (result.kind === 'waits') return this.#wait(result.missing);
      if (result.kind === 'published' && isTakenUp) await this.takeUp.progress.takenUp(result.generation);
      if (result.kind === 'published') await this.#owe(result.generation, result.generation);
      else await this.#owe(this.#published ?? this.#recovered);
    } catch (error) {
      this.#failed(asFailure(error, this.#place));
    }
  }

  /** A failed check leaves what is published as it is; without that the output has nothing. */
  async #refused(why: Failure, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const generation = this.#published ?? this.#recovered;
    if (generation === undefined || generation === 0) return void this.#failed(why);
    this.#publisher.keepPublished(why);
    await this.#owe(generation);
  }

  /** @param justPublished see `ReloadProgress.owed`. */
  async #owe(generation: number | undefined, justPublished?: number): Promise<void> {
    const owed = await this.takeUp.progress.owed(justPublished);
    this.#published = owed ?? generation ?? 0;
    this.#publishTimer.isPublished();
    if (owed === undefined) await this.takeUp.settle(this.#published);
    else this.takeUp.owe(owed, justPublished !== undefined);
  }

  /** See `TakeUpDeps.goBack`. */
  async #goBack(generation: number, why: Failure): Promise<boolean> {
    try {
      return await this.#rollBack(generation, why);
    } catch (error) {
      this.#failed(asFailure(error, this.#place));
      return true;
    }
  }

  async #carryOut({ wish, done }: PendingWish, signal: AbortSignal): Promise<void> {
    const { carryOut } = await import('./roll-back.ts');
    const why = await carryOut(wish, {
      place: this.#place,
      held: this.#publisher.held,
      generation: this.#standing.generation,
      rollBack: (generation, why, to) => this.#rollBack(generation, why, to),
      kept: () => this.#options.sink.kept(),
      resume: async () => {
        await this.#publisher.resume();
        await this.#publish(signal);
      },
    });
    done(why);
  }

  /** False: there is nothing to go back to. */
  async #rollBack(generation: number, why: Failure, to?: number): Promise<boolean> {
    const next = await this.#publisher.rollBack(generation, why, to);
    this.takeUp.hurry();
    if (next === undefined) return false;
    await this.#owe(next, next);
    return true;
  }

  async #look(looks: Looks, signal: AbortSignal): Promise<void> {
    const result = await looks.next();
    if (result.kind === 'restore') await this.#restore(result.differences, signal);
    if (result.kind !== 'same') this.#standing.enter(this.state);
  }

  /** Publishes anew what others have changed. What cannot be put right now is looked at again, and stays told. */
  async #restore(differences: readonly Difference[], signal: AbortSignal): Promise<void> {
    if (this.#publisher.held === undefined) {
      const isTakenUp = this.state.kind === 'settled' && !this.#publishTimer.isBehind;
      return await this.#publish(signal, isTakenUp && differences.every((one) => one.of === 'access'));
    }
    try {
      const next = await this.#publisher.restore();
      if (next !== undefined) await this.#owe(next, next);
    } catch (error) {
      this.#failed(asFailure(error, this.#place));
    }
  }

  #wait(missing: readonly string[]): void {
    const { output, emit } = this.#options;
    const joined = missing.join();
    if (joined !== this.#toldMissing) emit({ kind: 'output-waiting', output: output.name, missing });
    this.#toldMissing = joined;
    this.#standing.enter({ kind: 'waiting', missing });
  }

  /** A render fails the same way until a secret changes: only what the disk refused is worth another try. */
  #failed(why: Failure): number {
    const { output, emit } = this.#options;
    const retries = why.retry !== 'never';
    const retryInMs = retries ? this.#retry.destinationFailed(why) : this.#retry.countFailure();
    emit({ kind: 'output-failed', output: output.name, failure: why, ...(retries ? { retryInMs } : {}) });
    this.#standing.enter({ kind: 'failed', why });
    return retryInMs;
  }
}
