import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { Config, GenerationsConfig, OutputConfig } from '../../config/config.ts';
import { placeOfOutput } from '../../config/place.ts';
import type { Held, Made } from '../../deliver/output-state.ts';
import type { Sink, Staged } from '../../deliver/sink.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Snapshot } from '../../lease/snapshot.ts';
import type { Check } from '../../reload/check.ts';
import type { Renderer } from '../../render/render.ts';
import type { CandidateCheck } from './candidate-check.ts';
import type { Looks } from './looks.ts';
import { NeededSecrets } from './needed-secrets.ts';
import type { ReloadProgress } from './reload-progress.ts';
import type { PublishedAgain } from './roll-back.ts';
import { type UsedValues, type UsedVersions, versionsIn } from './used-values.ts';

export interface PublisherDeps {
  readonly output: GenerationsConfig & Partial<Pick<OutputConfig, 'dir' | 'keep'>>;
  /** The configuration that the output is of, for what is said of its generations. */
  readonly config?: Config | undefined;
  readonly renderer: Renderer;
  readonly sink: Sink;
  /** Looks at each candidate. Absent: none is checked. */
  readonly check?: Check | undefined;
  /** Told of what is published. Undefined: nothing is looked at again. */
  readonly looks: Looks | undefined;
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

/** Renders one output from the secrets that it needs, and publishes what is new to its sink. */
export class Publisher {
  readonly #deps: PublisherDeps;
  readonly #place: string;
  readonly needed: NeededSecrets;
  #sweepAtMs = Number.POSITIVE_INFINITY;
  #held: Held | undefined;
  /** What the sink holds back. It stays so while a candidate that came later fails its check. */
  #takenBack: Held | undefined;
  #tmpfs = false;
  /** Absent until a candidate is to be checked. */
  #checks: CandidateCheck | undefined;
  /** The generations that can be gone back to; known where the output keeps more than one. */
  kept: readonly number[] = [];

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    this.#place = placeOfOutput(deps.output.name);
    this.needed = new NeededSecrets(deps.renderer.wants, this.#place);
  }

  /** When an old generation may go, on the monotonic clock; infinite: none waits. */
  get sweepAtMs(): number {
    return this.#sweepAtMs;
  }

  /** Why the newest values are not the published ones; undefined: they are, or nothing is published. */
  get held(): Held | undefined {
    return this.#held;
  }

  /** When a candidate whose check failed is rendered and checked again, on the monotonic clock; infinite: none is. */
  get recheckAtMs(): number {
    return this.#checks?.dueMonoMs ?? Number.POSITIVE_INFINITY;
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
      this.#deps.looks?.recovered();
    }
    this.#deps.used.recovered(generation ?? 0);
    if (held !== undefined && held !== generation) {
      const seen = `generation ${held} was taken back, and is held back since`;
      this.#takenBack = { generation: held, why: failure('OUTPUT_HELD', this.#place, seen) };
      this.#held = this.#takenBack;
    }
    return generation;
  }

  /**
   * @param signal ends a check that runs.
   * @throws PannierError of the sink, and RENDER_BAD_ARGUMENT for computed paths without end.
   */
  async publish(signal: AbortSignal): Promise<PublishResult> {
    this.#checks?.cancel();
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
    if (result.kind === 'published' || staged === 'equal') this.#deps.looks?.published(rendered.files);
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
    this.#checks?.overtake();
  }

  /** The check refused what was rendered, and what is published stays. It is checked again with backoff. */
  keepPublished(why: Failure): void {
    this.#checks?.refused(why);
    this.#held = { why };
  }

  /** See `rollBack` of roll-back.ts. @param to the generation to go back to; absent: the one before. */
  async rollBack(generation: number, why: Failure, to?: number): Promise<number | undefined> {
    const { sink, output, emit, looks } = this.#deps;
    await looks?.recall();
    const { rollBack } = await import('./roll-back.ts');
    const again = await rollBack(sink, { generation, to, why }, { name: output.name, emit });
    if (again === undefined) return undefined;
    this.#checks?.cancel();
    this.#takenBack = { generation, why };
    this.#held = this.#takenBack;
    return this.#publishedAgain(again);
  }

  /** See `restore` of roll-back.ts. */
  async restore(): Promise<number | undefined> {
    const startedMs = this.#deps.clock.monoMs();
    const { restore } = await import('./roll-back.ts');
    const again = await restore(this.#deps.sink);
    if (again === undefined) return undefined;
    this.#publishedAgain(again);
    this.#tell(again.generation, again.files.size, startedMs);
    return again.generation;
  }

  /** Lets what is held back be published by the next `publish`. @throws PannierError of the sink. */
  async resume(): Promise<void> {
    if (this.#takenBack !== undefined) await this.#deps.sink.hold(undefined);
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

  #publishedAgain({ generation, from, files }: PublishedAgain): number {
    const { progress, used, clock, looks } = this.#deps;
    progress.published(generation);
    used.republished(generation, from, clock.wallMs());
    looks?.published(files);
    this.#sweepAtMs = clock.monoMs();
    return generation;
  }

  #tell(generation: number, files: number, startedMs: number): void {
    const { output, emit, clock } = this.#deps;
    const { name, dir } = output;
    const durationMs = clock.monoMs() - startedMs;
    const where = dir === undefined ? {} : { dir };
    emit({ kind: 'output-published', output: name, ...where, generation, files, durationMs });
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
    } else this.#held = this.#takenBack ?? this.#held;
    return { kind: 'equal' };
  }

  async #publishNew(staged: Staged, candidate: Candidate, signal: AbortSignal): Promise<PublishResult> {
    const { check, clock, random, output, emit } = this.#deps;
    if (check !== undefined && this.#checks === undefined) {
      const { CandidateCheck } = await import('./candidate-check.ts');
      this.#checks = new CandidateCheck({ output: output.name, check, clock, random, emit });
    }
    const why = await this.#checks?.run(staged, signal);
    if (why !== undefined) return this.#checks?.wasOvertaken ? { kind: 'overtaken' } : { kind: 'refused', why };
    const result = await this.#commit(staged, candidate);
    await this.#release();
    return result;
  }

  /** What is published is the newest. A mark that still says otherwise is corrected by a later call. */
  async #release(): Promise<void> {
    this.#checks?.succeeded();
    this.#held = undefined;
    if (this.#takenBack === undefined) return;
    const { sink, output, emit } = this.#deps;
    this.#takenBack = undefined;
    await sink.hold(undefined).catch((error: unknown) => {
      const why = asFailure(error, this.#place);
      emit({ kind: 'output-failed', output: output.name, failure: why });
    });
  }

  async #commit(staged: Staged, { files, startedMs, from: { versions, made } }: Candidate): Promise<PublishResult> {
    const { output, progress, used, clock } = this.#deps;
    const { generation, first } = await staged.commit();
    progress.published(generation);
    used.published(generation, versions, made);
    if (first && !output.reloadOnFirst) await this.#skipReload(generation);
    this.#tell(generation, files, startedMs);
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

function hasCertificate(snapshot: Snapshot): boolean {
  for (const name of snapshot.names()) {
    const entry = snapshot.get(name);
    const life = entry === undefined || entry.state === 'absent' ? undefined : entry.value.life;
    if (life?.kind === 'certificate' && !life.stored) return true;
  }
  return false;
}
