import { backoffMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { asFailure, type Failure, fail, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { onAbort } from '../../base/on-abort.ts';
import type { GenerationsConfig, OutputConfig } from '../../config/config.ts';
import { placeOfOutput } from '../../config/place.ts';
import type { OutputState } from '../../deliver/output-state.ts';
import type { Sink } from '../../deliver/sink.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Reload } from '../../reload/reload.ts';
import type { ComputedByName, Rendered, Renderer } from '../../render/render.ts';
import { ReloadProgress } from './reload-progress.ts';
import type { OutputNeeds } from './wants.ts';

export interface OutputLoopOptions {
  readonly output: GenerationsConfig & Partial<Pick<OutputConfig, 'dir'>>;
  readonly renderer: Renderer;
  readonly sink: Sink;
  /** Steps in order; the first that fails ends the round, and the next round begins with it. */
  readonly reloads: readonly Reload[];
  readonly manager: LeaseManager;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  readonly onState: (state: OutputState) => void;
  /** Its templates computed other paths than before. */
  readonly onNeeds: () => void;
  /** The loop that had this output with the configuration before; this one begins when that one has ended. */
  readonly before?: Pick<OutputLoop, 'state' | 'dueMonoMs' | 'progress'> | undefined;
}

/** A secret whose path comes from a secret whose path comes from a secret …: this many times at most. */
const MAX_ROUNDS = 10;

/** Rendering, publishing and sweeping together take no longer than this, unless the disk hangs. */
const ROUND_MS = 60_000;

/**
 * One output from its secrets to the application: waiting → rendered → published → reload owed → settled.
 *
 * It acts for one of three reasons: a secret of its changed (`wake`), a failed publish or reload is due again, or an
 * old generation can go. What fails is tried again with backoff and never fetches anything. Each output has a loop of
 * its own, so a hanging command or a full disk holds up nobody else.
 */
export class OutputLoop {
  readonly #options: Omit<OutputLoopOptions, 'before'>;
  /** Let go of when this loop has taken over: each loop would hold all those before it. */
  #before: OutputLoopOptions['before'];
  #state: OutputState;
  #dirtySinceMs: number | undefined = 0;
  #lastEventMs = 0;
  #published: number | undefined;
  /** What an earlier loop or process published. */
  #recovered: number | undefined;
  #failures = 0;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #told = '';
  #needs: OutputNeeds;
  /** The names in `#needs`. */
  #names: readonly string[];
  /** Secrets whose first answer may be still to come. */
  #awaited: string[];
  /** One that was found being fetched. */
  #busyWith: string | undefined;
  #rounds = 0;
  #ring: () => void = () => {};
  #retired = false;
  /** Ends the look at what the last reload failed for. */
  #looking = new AbortController();
  /** How far the reload has come; the next loop of this output goes on with it. */
  readonly progress: ReloadProgress;
  readonly #roundMs: number;
  #dueMonoMs: number;

  constructor({ before, ...options }: OutputLoopOptions) {
    this.#options = options;
    this.#before = before;
    const { reloads, clock } = options;
    this.progress = new ReloadProgress(options.sink.mark, reloads, this.#place);
    this.#roundMs = reloads.reduce((sum, { timeoutMs = 0 }) => sum + timeoutMs, ROUND_MS);
    this.#dueMonoMs = Math.max(before?.dueMonoMs ?? 0, clock.monoMs()) + this.#roundMs;
    const { wants } = options.renderer;
    this.#needs = { names: wants, computed: new Map() };
    this.#names = [...wants];
    this.#awaited = [...wants];
    // What is published stays so while this loop looks at it anew.
    const stood = before?.state;
    this.#state =
      stood === undefined || stood.kind === 'waiting'
        ? Object.freeze({ kind: 'waiting', missing: this.#names })
        : stood;
  }

  /** The secrets it needs now; what its templates compute comes while it renders. */
  get needs(): OutputNeeds {
    return this.#needs;
  }

  get state(): OutputState {
    return this.#state;
  }

  /** Whether a change of its secrets is still to be published. */
  get isBehind(): boolean {
    return this.#dirtySinceMs !== undefined;
  }

  /** When the loop has come round at the latest: past it, it hangs. */
  get dueMonoMs(): number {
    return this.#dueMonoMs;
  }

  /** One of its secrets changed, or an attempt for one of them ended. */
  wake(changed: boolean): void {
    const now = this.#options.clock.monoMs();
    const wasBehind = this.isBehind;
    if (changed || this.#state.kind === 'waiting') this.#dirtySinceMs ??= now;
    if (changed) this.#lastEventMs = now;
    if (!this.isBehind) return;
    // Each of many secrets that change, or come at a start, tells of itself: only the one it waits for is a reason to
    // look again, and the first, since maxWait counts from there.
    const waits = this.#published === undefined ? this.#isAwaiting() : wasBehind && this.#isBusy();
    if (!waits) this.#ring();
  }

  /**
   * Tells the application of the published generation once more, now. False when nothing is published as it should be.
   */
  reloadAgain(): boolean {
    if (this.#state.kind !== 'settled' && this.#state.kind !== 'owed') return false;
    this.progress.askAgain(this.#state.generation);
    this.#enter({ kind: 'owed', generation: this.#state.generation });
    this.#failures = 0;
    this.#retryAtMs = this.#options.clock.monoMs();
    this.#ring();
    return true;
  }

  /** Lets `run` end when what it does now is done, a running reload included: another loop takes the output over. */
  retire(): void {
    this.#retired = true;
    this.#ring();
  }

  /** Runs until `signal` aborts or it is retired. */
  async run(signal: AbortSignal): Promise<void> {
    const cancel = onAbort(signal, () => this.#ring());
    await this.#recover(signal);
    while (!signal.aborted && !this.#retired) {
      const now = this.#options.clock.monoMs();
      this.#dueMonoMs = now + this.#roundMs;
      const retry = this.#retryAtMs <= now;
      const publishAtMs = this.#publishAtMs();
      if (publishAtMs <= now || (retry && this.#state.kind === 'failed')) await this.#publish();
      else if (retry && this.#state.kind === 'owed') await this.#reload(this.#state.generation, signal);
      else if (retry && this.#state.kind === 'settled') await this.#settle(this.#state.generation);
      else if (this.#sweepAtMs <= now) await this.#sweep();
      else await this.#sleep(Math.min(publishAtMs, this.#retryAtMs, this.#sweepAtMs) - now, signal);
    }
    cancel();
    this.#looking.abort();
    this.#dueMonoMs = Number.POSITIVE_INFINITY;
  }

  /** When a change is to be published: after the quiet period, while nothing of its own is fetched, or at maxWait. */
  #publishAtMs(): number {
    const { output } = this.#options;
    if (this.#dirtySinceMs === undefined) return Number.POSITIVE_INFINITY;
    // The first time there is nothing to wait for but the secrets themselves: quiet would only delay the start. One
    // that is tried again, or still waits for a login, holds up nothing: it may be optional.
    if (this.#published === undefined) return this.#isAwaiting() ? Number.POSITIVE_INFINITY : this.#dirtySinceMs;
    const latestMs = this.#dirtySinceMs + output.maxWaitMs;
    return this.#isBusy() ? latestMs : Math.min(latestMs, this.#lastEventMs + output.quietMs);
  }

  /**
   * Whether one of its secrets is being fetched; asked for each of them, so it begins with what it found the last time.
   */
  #isBusy(): boolean {
    const { manager } = this.#options;
    if (this.#busyWith !== undefined && manager.isBusy(this.#busyWith)) return true;
    this.#busyWith = this.#names.findLast((name) => manager.isBusy(name)); // begun last, so likely the last to end
    return this.#busyWith !== undefined;
  }

  /**
   * Whether a first answer is still to come. What has come once is not looked at again, so a start costs a look each.
   */
  #isAwaiting(): boolean {
    for (let name = this.#awaited.at(-1); name !== undefined; name = this.#awaited.at(-1)) {
      if (this.#options.manager.isAwaited(name)) return true;
      this.#awaited.pop();
    }
    return false;
  }

  async #recover(signal: AbortSignal): Promise<void> {
    const { sink, output, emit, clock } = this.#options;
    if (this.#before !== undefined) this.progress.follow(this.#before.progress);
    this.#before = undefined;
    while (!signal.aborted && !this.#retired) {
      this.#dueMonoMs = clock.monoMs() + this.#roundMs;
      try {
        const { generation, removed, tmpfs } = await sink.recover();
        if (removed > 0) emit({ kind: 'output-recovered', output: output.name, generation: generation ?? 0, removed });
        if (tmpfs === false) {
          const warning = failure('OUTPUT_NOT_TMPFS', `${this.#place}.dir`, `${output.dir} is not on tmpfs`);
          emit({ kind: 'agent-warning', warning });
        }
        if (generation !== undefined) this.#sweepAtMs = 0;
        this.#recovered = generation;
        this.#failures = 0;
        return;
      } catch (error) {
        await this.#sleep(this.#failed(asFailure(error, this.#place)), signal);
      }
    }
  }

  async #publish(): Promise<void> {
    const { renderer, manager, sink, output, emit, clock } = this.#options;
    const startedMs = clock.monoMs();
    this.#dirtySinceMs = undefined;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    try {
      const rendered = await renderer.render(manager.snapshot(this.#names));
      const renderMs = clock.monoMs() - startedMs;
      emit({ kind: 'output-rendered', output: output.name, result: rendered.kind, durationMs: renderMs });
      if (rendered.kind === 'failed') return void this.#failed(rendered.why);
      this.#need(rendered);
      if (rendered.kind === 'waits') return this.#wait(rendered.missing);
      const staged = await sink.stage(rendered.files);
      if (staged === 'equal') emit({ kind: 'output-unchanged', output: output.name });
      else {
        const { generation, first } = await staged.commit();
        this.progress.published(generation);
        if (first && !output.reloadOnFirst) await this.#skipReload(generation);
        const durationMs = clock.monoMs() - startedMs;
        const files = rendered.files.size;
        const where = output.dir === undefined ? {} : { dir: output.dir };
        emit({ kind: 'output-published', output: output.name, ...where, generation, files, durationMs });
        this.#sweepAtMs = clock.monoMs();
      }
      await this.#owe(staged === 'equal' ? (this.#published ?? this.#recovered) : staged.generation);
    } catch (error) {
      this.#failed(asFailure(error, this.#place));
    }
  }

  /** Asks for what the templates computed, and lets go of what they no longer name once they are through. */
  #need({ kind, computed }: Extract<Rendered, { computed: ComputedByName }>): void {
    const before = this.#needs.computed;
    const isNew = [...computed.keys()].some((name) => !before.has(name));
    this.#rounds = kind === 'files' ? 0 : this.#rounds + (isNew ? 1 : 0);
    if (this.#rounds > MAX_ROUNDS) {
      this.#rounds = 0;
      const seen = `still naming new paths after ${MAX_ROUNDS} rounds of fetching and rendering`;
      throw fail('RENDER_BAD_ARGUMENT', this.#place, seen, { hint: 'Let paths depend on fewer other secrets.' });
    }
    if (!isNew && (kind === 'waits' || before.size === computed.size)) return;
    const needed = kind === 'files' ? computed : new Map([...before, ...computed]);
    this.#needs = { names: this.#needs.names, computed: needed };
    this.#names = [...this.#needs.names, ...needed.keys()];
    this.#options.onNeeds();
    this.#awaited = [...this.#names];
  }

  /** Nobody has read a first generation, so nobody needs to be told. */
  async #skipReload(generation: number): Promise<void> {
    const { output, emit, reloads } = this.#options;
    await this.progress.takenUp(generation);
    if (reloads.length > 0) emit({ kind: 'reload-skipped', output: output.name, generation });
  }

  async #owe(generation: number | undefined): Promise<void> {
    const owed = await this.progress.owed();
    const before = this.#state;
    this.#published = owed ?? generation ?? 0;
    if (owed === undefined) return this.#settle(this.#published);
    // Equal bytes are no reason to hurry a reload that failed; a new generation overtakes the old one's backoff.
    const sameAgain = before.kind === 'owed' && before.generation === owed && before.why !== undefined;
    if (!sameAgain) this.#failures = 0;
    this.#retryAtMs = this.#options.clock.monoMs() + (sameAgain ? backoffMs(this.#failures, this.#options.random) : 0);
    this.#enter(sameAgain ? before : { kind: 'owed', generation: owed });
  }

  async #reload(generation: number, signal: AbortSignal): Promise<void> {
    const { reloads, output, emit, clock } = this.#options;
    const startedMs = clock.monoMs();
    this.#looking.abort();
    for (const [number, step] of this.progress.left()) {
      if (signal.aborted) return;
      const stepMs = clock.monoMs();
      const why = await step.run(generation, signal, this.progress.isAskedFor);
      if (why !== undefined && signal.aborted) return;
      emit({
        kind: 'reload-step',
        output: output.name,
        generation,
        step: number,
        how: step.kind,
        durationMs: clock.monoMs() - stepMs,
        ...(why === undefined ? {} : { failure: why }),
      });
      if (why !== undefined) return this.#reloadFailed(generation, step, why);
      await this.progress.stepDone(number);
    }
    await this.progress.takenUp(generation);
    const durationMs = clock.monoMs() - startedMs;
    if (reloads.length > 0) {
      emit({ kind: 'reload-done', output: output.name, generation, steps: reloads.length, durationMs });
    }
    this.#failures = 0;
    await this.#settle(generation);
  }

  async #reloadFailed(generation: number, step: Reload, why: Failure): Promise<void> {
    const { output, emit, clock, random } = this.#options;
    await this.progress.write();
    const retryInMs = backoffMs(++this.#failures, random, why.retryAfterMs);
    this.#retryAtMs = clock.monoMs() + retryInMs;
    emit({ kind: 'reload-failed', output: output.name, generation, step: step.kind, failure: why, retryInMs });
    this.#enter({ kind: 'owed', generation, why });
    this.#lookOut(step);
  }

  /** What the step failed for may change before the backoff is over, as a pid file does when the application starts. */
  #lookOut(step: Reload): void {
    const looking = new AbortController();
    this.#looking = looking;
    void step.untilChanged?.(looking.signal).then(() => {
      if (looking.signal.aborted || this.#state.kind !== 'owed') return;
      this.#failures = 0;
      this.#retryAtMs = this.#options.clock.monoMs();
      this.#ring();
    });
  }

  /** The application has the generation. A mark that does not say so is written again until the disk takes it. */
  async #settle(generation: number): Promise<void> {
    const { output, emit, clock, random } = this.#options;
    this.#looking.abort();
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    const why = await this.progress.write();
    if (this.progress.isAskedFor) return; // since a moment ago
    if (why === undefined) {
      this.#failures = 0;
      return this.#enter({ kind: 'settled', generation });
    }
    const retryInMs = backoffMs(++this.#failures, random);
    this.#retryAtMs = clock.monoMs() + retryInMs;
    emit({ kind: 'output-failed', output: output.name, failure: why, retryInMs });
    this.#enter({ kind: 'settled', generation, why });
  }

  /** The previous generation stays for readers that are still in it; the sink says when it may go. */
  async #sweep(): Promise<void> {
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    try {
      const nextMs = await this.#options.sink.sweep();
      if (nextMs !== undefined) this.#sweepAtMs = this.#options.clock.monoMs() + nextMs;
    } catch {
      // What could not be removed now goes at the next publish or start; the published generation is not concerned.
    }
  }

  #wait(missing: readonly string[]): void {
    const told = missing.join();
    if (told !== this.#told) this.#options.emit({ kind: 'output-waiting', output: this.#options.output.name, missing });
    this.#told = told;
    this.#enter({ kind: 'waiting', missing });
  }

  /** A render fails the same way until a secret changes: only what the disk refused is worth another try. */
  #failed(why: Failure): number {
    const { output, random, clock, emit } = this.#options;
    const retryInMs = backoffMs(++this.#failures, random);
    const retries = why.retry !== 'never';
    if (retries) this.#retryAtMs = clock.monoMs() + retryInMs;
    emit({ kind: 'output-failed', output: output.name, failure: why, ...(retries ? { retryInMs } : {}) });
    this.#enter({ kind: 'failed', why });
    return retryInMs;
  }

  get #place(): string {
    return placeOfOutput(this.#options.output.name);
  }

  #enter(state: OutputState): void {
    this.#state = Object.freeze(state);
    this.#options.onState(this.#state);
  }

  /**
   * Until `ms` have passed or somebody rings. Without an end no timer runs: a thousand outputs at rest cost nothing.
   */
  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    this.#dueMonoMs = clock.monoMs() + ms + this.#roundMs;
    return new Promise((resolve) => {
      let cancel = () => {};
      this.#ring = () => {
        this.#ring = () => {};
        this.#dueMonoMs = clock.monoMs() + this.#roundMs;
        cancel();
        resolve();
      };
      if (signal.aborted || this.#retired) this.#ring();
      else if (Number.isFinite(ms)) cancel = deadline(clock, ms, () => this.#ring());
    });
  }
}
