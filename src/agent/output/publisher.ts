import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { Config, GenerationsConfig, OutputConfig } from '../../config/config.ts';
import { placeOfOutput } from '../../config/place.ts';
import type { Held, Made } from '../../deliver/output-state.ts';
import type { DriftLook, Sink, Staged } from '../../deliver/sink.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Snapshot } from '../../lease/snapshot.ts';
import type { Check } from '../../reload/check.ts';
import type { Renderer } from '../../render/render.ts';
import { NeededSecrets } from './needed-secrets.ts';
import type { ReloadProgress } from './reload-progress.ts';
import { RetryTimer } from './retry-timer.ts';
import { type UsedValues, type UsedVersions, versionsIn } from './used-values.ts';

export interface PublisherDeps {
  readonly output: GenerationsConfig & Partial<Pick<OutputConfig, 'dir' | 'keep'>>;
  /** The configuration that the output is of, for what is said of its generations. */
  readonly config: Config | undefined;
  readonly renderer: Renderer;
  readonly sink: Sink;
  /** Looks at each candidate. Absent: none is checked. */
  readonly check: Check | undefined;
  /** Whether the sink is to remember what is published, for looks at it. */
  readonly looksAgain: boolean;
  /** Told of each generation that is published. */
  readonly progress: ReloadProgress;
  /** Told of what each generation is made of. */
  readonly used: UsedValues;
  readonly manager: Pick<LeaseManager, 'snapshot' | 'wantIdOf'>;
  readonly clock: Pick<Clock, 'monoMs' | 'wallMs'>;
  readonly random: () => number;
  readonly emit: Emit;
  /** The templates computed other paths than before: `needed` is another one. */
  readonly onNeeds: () => void;
}

export type PublishResult =
  /** A template failed. */
  | { readonly kind: 'failed'; readonly why: Failure }
  /** These secrets have no value yet. */
  | { readonly kind: 'waits'; readonly missing: readonly string[] }
  /** The published generation holds the same bytes already, or what was rendered is held back. */
  | { readonly kind: 'equal' }
  /** Newer values came while the check ran, and the candidate is gone. */
  | { readonly kind: 'overtaken' }
  /** The check failed, and the candidate is gone. */
  | { readonly kind: 'refused'; readonly why: Failure }
  | { readonly kind: 'published'; readonly generation: number };

/** What a candidate was made of, and since when. */
interface Candidate {
  readonly files: number;
  readonly startedMs: number;
  readonly from: MadeFrom;
}

interface MadeFrom {
  readonly versions: UsedVersions;
  readonly made: Made;
}

/** After this long a start is over, and what an earlier process noted of its generations is read. */
const RECALL_MS = 1_000;

/** Renders one output from the secrets that it needs, and publishes what is new to its sink. */
export class Publisher {
  readonly #deps: PublisherDeps;
  readonly #place: string;
  readonly needed: NeededSecrets;
  readonly #recheck: RetryTimer;
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #held: Held | undefined;
  #tmpfs = false;
  #recallAtMs = Number.POSITIVE_INFINITY;
  /** What is published and the sink has not remembered yet. */
  #toRemember: ReadonlyMap<string, Uint8Array> | undefined;
  /** Ends the check that runs; undefined: none does. */
  #checking: AbortController | undefined;
  /** The last check was ended since newer values had come. */
  #wasOvertaken = false;
  /** The generations that can be gone back to; known where the output keeps more than one. */
  kept: readonly number[] = [];

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    this.#recheck = new RetryTimer(deps.clock, deps.random);
    this.#place = placeOfOutput(deps.output.name);
    this.needed = new NeededSecrets(deps.renderer.wants, this.#place);
  }

  /** When an old generation may go, on the monotonic clock; infinite: none waits. */
  get sweepAtMs(): number {
    return this.#sweepAtMs;
  }

  /** When what an earlier process noted is read, on the monotonic clock; infinite: there is nothing, or it was. */
  get recallAtMs(): number {
    return this.#recallAtMs;
  }

  /** Why the newest values are not the published ones; undefined: they are, or nothing is published. */
  get held(): Held | undefined {
    return this.#held;
  }

  /** When a candidate whose check failed is rendered and checked again, on the monotonic clock; infinite: none is. */
  get recheckAtMs(): number {
    return this.#recheck.dueMonoMs;
  }

  /**
   * Makes the sink ready; comes before `publish`.
   * @returns the generation that an earlier loop or process published, undefined when there is none.
   * @throws PannierError as `Sink.recover`.
   */
  async recover(): Promise<number | undefined> {
    const { sink, output, emit } = this.#deps;
    const { generation, removed, tmpfs, held } = await sink.recover();
    if (removed > 0) emit({ kind: 'output-recovered', output: output.name, generation: generation ?? 0, removed });
    this.#tmpfs = tmpfs === true;
    if (tmpfs === false) {
      const warning = failure('OUTPUT_NOT_TMPFS', `${this.#place}.dir`, `${output.dir} is not on tmpfs`);
      emit({ kind: 'agent-warning', warning });
    }
    if (generation !== undefined) {
      this.#sweepAtMs = 0;
      if (this.#deps.looksAgain) this.#recallAtMs = this.#deps.clock.monoMs() + RECALL_MS;
    }
    this.#deps.used.recovered(generation ?? 0);
    if (held !== undefined && held !== generation) {
      const seen = `generation ${held} was taken back, and is held back since`;
      this.#held = { generation: held, why: failure('OUTPUT_HELD', this.#place, seen) };
    }
    return generation;
  }

  /**
   * @param signal ends a check that runs.
   * @throws PannierError of the sink, and RENDER_BAD_ARGUMENT for computed paths without end.
   */
  async publish(signal: AbortSignal): Promise<PublishResult> {
    this.#recheck.cancel();
    const { renderer, manager, sink, output, emit, clock, onNeeds } = this.#deps;
    const startedMs = clock.monoMs();
    const snapshot = manager.snapshot(this.needed.names);
    const rendered = await renderer.render(snapshot);
    const renderMs = clock.monoMs() - startedMs;
    emit({ kind: 'output-rendered', output: output.name, result: rendered.kind, durationMs: renderMs });
    if (rendered.kind === 'failed') return rendered;
    if (this.needed.update(rendered)) onNeeds();
    if (rendered.kind === 'waits') return rendered;
    const staged = await sink.stage(rendered.files);
    const { config } = this.#deps;
    const { versions, values } = versionsIn(snapshot, manager, config);
    const from = { versions, made: { config, atWallMs: clock.wallMs(), values } };
    const result =
      typeof staged === 'string'
        ? await this.#same(staged, from)
        : await this.#publishNew(staged, { files: rendered.files.size, startedMs, from }, signal);
    if (result.kind === 'published' || staged === 'equal') this.#isPublished(rendered.files);
    if (
      result.kind !== 'refused' &&
      result.kind !== 'overtaken' &&
      sink.keep !== undefined &&
      (sink.hasKept || hasCertificate(snapshot))
    ) {
      await this.#keep(snapshot, rendered.files);
    }
    return result;
  }

  /**
   * Newer values came: a check that runs looks at older ones, and may hang. It is ended, unless the one before it was:
   * values that change faster than they can be checked are published all the same.
   */
  overtake(): void {
    if (!this.#wasOvertaken) this.#checking?.abort();
  }

  /** The check refused what was rendered, and what is published stays. It is checked again with backoff. */
  keepPublished(why: Failure): void {
    const { output, emit } = this.#deps;
    const retryInMs = this.#recheck.failed();
    emit({ kind: 'output-failed', output: output.name, failure: why, retryInMs });
    this.#held = { why };
  }

  /** See `rollBack` of roll-back.ts. @param to the generation to go back to; absent: the one before. */
  async rollBack(generation: number, why: Failure, to?: number): Promise<number | undefined> {
    const { sink, output, emit } = this.#deps;
    const { rollBack } = await import('./roll-back.ts');
    const done = await rollBack(sink, { generation, to, why }, { name: output.name, emit });
    if (done === undefined) return undefined;
    const { next, from, files } = done;
    this.#publishedAgain({ generation: next, from, files });
    this.#recheck.cancel();
    this.#held = { generation, why };
    return next;
  }

  /**
   * Publishes what is published once more, from the generation before it, while newer values are held back and it
   * cannot be rendered.
   * @returns the new generation; undefined: no generation with these bytes is left. @throws PannierError of the sink.
   */
  async restore(): Promise<number | undefined> {
    const { sink, output, emit, clock } = this.#deps;
    const startedMs = clock.monoMs();
    const spare = await (await sink.drift?.())?.spare();
    const staged = spare === undefined ? 'equal' : await sink.stage(spare.files);
    if (spare === undefined || typeof staged === 'string') return undefined;
    const { files, generation: from } = spare;
    const { generation } = await staged.commit();
    this.#publishedAgain({ generation, from, files });
    const durationMs = clock.monoMs() - startedMs;
    emit({
      kind: 'output-published',
      output: output.name,
      ...dirOf(output),
      generation,
      files: files.size,
      durationMs,
    });
    return generation;
  }

  /** Whether `remember` has something to do. */
  get mustRemember(): boolean {
    return this.#toRemember !== undefined;
  }

  /** Has the sink remember what is published. Later than publishing, so that it delays no reload. */
  async remember(look: DriftLook): Promise<void> {
    const files = this.#toRemember;
    this.#toRemember = undefined;
    this.#recallAtMs = Number.POSITIVE_INFINITY;
    if (files !== undefined) await look.remember(files);
  }

  /** Lets what is held back be published by the next `publish`. @throws PannierError of the sink. */
  async resume(): Promise<void> {
    if (this.#held?.generation !== undefined) await this.#deps.sink.hold(undefined);
  }

  /** The previous generation stays for readers that are still in it; the sink says when it may go. */
  async sweep(): Promise<void> {
    const { sink, output, clock } = this.#deps;
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    try {
      const nextMs = await sink.sweep();
      if (output.keep !== undefined && output.keep > 1) this.kept = await sink.kept();
      if (nextMs !== undefined) this.#sweepAtMs = clock.monoMs() + nextMs;
    } catch {
      // What could not be removed now goes at the next publish or start; the published generation is not concerned.
    }
  }

  /** @param from the earlier generation whose files are published again. */
  #publishedAgain({ generation, from, files }: PublishedAgain): void {
    const { progress, used, clock } = this.#deps;
    progress.published(generation);
    used.republished(generation, from, clock.wallMs());
    this.#isPublished(files);
    this.#sweepAtMs = clock.monoMs();
  }

  #isPublished(files: ReadonlyMap<string, Uint8Array>): void {
    if (this.#deps.looksAgain) this.#toRemember = files;
  }

  /** What is not kept costs one certificate more at the next start, and nothing now. */
  async #keep(snapshot: Snapshot, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { sink, manager, emit } = this.#deps;
    try {
      const { keepCertificates } = await import('../kept-certificates.ts');
      const contents = this.#deps.output.files;
      await keepCertificates({ sink, manager, contents, tmpfs: this.#tmpfs }, snapshot, files);
    } catch (error) {
      emit({ kind: 'agent-warning', warning: asFailure(error, this.#place) });
    }
  }

  async #same(staged: 'equal' | 'held', { versions, made }: MadeFrom): Promise<PublishResult> {
    if (staged === 'equal') {
      this.#deps.used.equal(versions, made);
      await this.#release();
      this.#deps.emit({ kind: 'output-unchanged', output: this.#deps.output.name });
    }
    return { kind: 'equal' };
  }

  async #publishNew(staged: Staged, candidate: Candidate, signal: AbortSignal): Promise<PublishResult> {
    const why = await this.#check(staged, signal);
    if (why !== undefined) return this.#wasOvertaken ? { kind: 'overtaken' } : { kind: 'refused', why };
    const result = await this.#commit(staged, candidate);
    await this.#release();
    return result;
  }

  /** Why the candidate is not to be published; it is gone then. */
  async #check(staged: Staged, signal: AbortSignal): Promise<Failure | undefined> {
    const { check, clock, output, emit } = this.#deps;
    if (check === undefined) return undefined;
    const startedMs = clock.monoMs();
    const checking = new AbortController();
    this.#checking = checking;
    let why = await check.run(staged, AbortSignal.any([signal, checking.signal]));
    this.#checking = undefined;
    this.#wasOvertaken = why !== undefined && checking.signal.aborted;
    if (why === undefined && !(await staged.isIntact())) {
      why = failure('OUTPUT_CHECK_FAILED', check.place, 'the check has changed or removed the candidate');
    }
    const durationMs = clock.monoMs() - startedMs;
    const failed = why === undefined || this.#wasOvertaken ? {} : { failure: why };
    emit({ kind: 'output-checked', output: output.name, durationMs, ...failed });
    if (why !== undefined) await staged.discard();
    return why;
  }

  /** What is published is the newest. A mark that still says otherwise is corrected by a later call. */
  async #release(): Promise<void> {
    this.#recheck.succeeded();
    if (this.#held === undefined) return;
    const { sink, output, emit } = this.#deps;
    const { generation } = this.#held;
    this.#held = undefined;
    if (generation === undefined) return;
    await sink.hold(undefined).catch((error: unknown) => {
      const why = asFailure(error, this.#place);
      emit({ kind: 'output-failed', output: output.name, failure: why });
    });
  }

  async #commit(staged: Staged, { files, startedMs, from: { versions, made } }: Candidate): Promise<PublishResult> {
    const { output, progress, used, emit, clock } = this.#deps;
    const { generation, first } = await staged.commit();
    progress.published(generation);
    used.published(generation, versions, made);
    if (first && !output.reloadOnFirst) await this.#skipReload(generation);
    const durationMs = clock.monoMs() - startedMs;
    emit({ kind: 'output-published', output: output.name, ...dirOf(output), generation, files, durationMs });
    if (!first) this.#sweepAtMs = clock.monoMs(); // `recover` has just removed what was there before
    return { kind: 'published', generation };
  }

  /** No application has read an earlier generation, so none needs to be told of the first. */
  async #skipReload(generation: number): Promise<void> {
    const { output, progress, emit } = this.#deps;
    await progress.takenUp(generation);
    if (progress.steps.length > 0) emit({ kind: 'reload-skipped', output: output.name, generation });
  }
}

const dirOf = ({ dir }: PublisherDeps['output']) => (dir === undefined ? {} : { dir });

interface PublishedAgain {
  readonly generation: number;
  readonly from: number;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

function hasCertificate(snapshot: Snapshot): boolean {
  for (const name of snapshot.names()) {
    const entry = snapshot.get(name);
    const life = entry === undefined || entry.state === 'absent' ? undefined : entry.value.life;
    if (life?.kind === 'certificate' && !life.stored) return true;
  }
  return false;
}
