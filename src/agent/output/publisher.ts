import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { GenerationsConfig, OutputConfig } from '../../config/config.ts';
import { placeOfOutput } from '../../config/place.ts';
import type { Sink, Staged } from '../../deliver/sink.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Snapshot } from '../../lease/snapshot.ts';
import type { Renderer } from '../../render/render.ts';
import { NeededSecrets } from './needed-secrets.ts';
import type { ReloadProgress } from './reload-progress.ts';

export interface PublisherDeps {
  readonly output: GenerationsConfig & Partial<Pick<OutputConfig, 'dir'>>;
  readonly renderer: Renderer;
  readonly sink: Sink;
  /** Told of each generation that is published. */
  readonly progress: ReloadProgress;
  readonly manager: Pick<LeaseManager, 'snapshot' | 'wantIdOf'>;
  readonly clock: Pick<Clock, 'monoMs'>;
  readonly emit: Emit;
  /** The templates computed other paths than before: `needed` is another one. */
  readonly onNeeds: () => void;
}

export type PublishResult =
  /** A template failed. */
  | { readonly kind: 'failed'; readonly why: Failure }
  /** These secrets have no value yet. */
  | { readonly kind: 'waits'; readonly missing: readonly string[] }
  /** The published generation holds the same bytes already. */
  | { readonly kind: 'equal' }
  | { readonly kind: 'published'; readonly generation: number };

/** Renders one output from the secrets that it needs, and publishes what is new to its sink. */
export class Publisher {
  readonly #deps: PublisherDeps;
  readonly #place: string;
  readonly needed: NeededSecrets;
  #sweepAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    this.#place = placeOfOutput(deps.output.name);
    this.needed = new NeededSecrets(deps.renderer.wants, this.#place);
  }

  /** When an old generation may go, on the monotonic clock; infinite: none waits. */
  get sweepAtMs(): number {
    return this.#sweepAtMs;
  }

  /**
   * Makes the sink ready; comes before `publish`.
   * @returns the generation that an earlier loop or process published, undefined when there is none.
   * @throws PannierError as `Sink.recover`.
   */
  async recover(): Promise<number | undefined> {
    const { sink, output, emit } = this.#deps;
    const { generation, removed, tmpfs } = await sink.recover();
    if (removed > 0) emit({ kind: 'output-recovered', output: output.name, generation: generation ?? 0, removed });
    if (tmpfs === false) {
      const warning = failure('OUTPUT_NOT_TMPFS', `${this.#place}.dir`, `${output.dir} is not on tmpfs`);
      emit({ kind: 'agent-warning', warning });
    }
    if (generation !== undefined) this.#sweepAtMs = 0;
    return generation;
  }

  /** @throws PannierError of the sink, and RENDER_BAD_ARGUMENT for computed paths without end. */
  async publish(): Promise<PublishResult> {
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
    if (staged === 'equal') emit({ kind: 'output-unchanged', output: output.name });
    const result: PublishResult =
      staged === 'equal' ? { kind: 'equal' } : await this.#commit(staged, rendered.files.size, startedMs);
    if (sink.keep !== undefined && (sink.hasKept || hasCertificate(snapshot)))
      await this.#keep(snapshot, rendered.files);
    return result;
  }

  /** The previous generation stays for readers that are still in it; the sink says when it may go. */
  async sweep(): Promise<void> {
    const { sink, clock } = this.#deps;
    this.#sweepAtMs = Number.POSITIVE_INFINITY;
    try {
      const nextMs = await sink.sweep();
      if (nextMs !== undefined) this.#sweepAtMs = clock.monoMs() + nextMs;
    } catch {
      // What could not be removed now goes at the next publish or start; the published generation is not concerned.
    }
  }

  /** What is not kept costs one certificate more at the next start, and nothing now. */
  async #keep(snapshot: Snapshot, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { sink, manager, emit } = this.#deps;
    try {
      const { keepCertificates } = await import('../kept-certificates.ts');
      await keepCertificates(sink, snapshot, files, manager);
    } catch (error) {
      emit({ kind: 'agent-warning', warning: asFailure(error, this.#place) });
    }
  }

  async #commit(staged: Staged, files: number, startedMs: number): Promise<PublishResult> {
    const { output, progress, emit, clock } = this.#deps;
    const { generation, first } = await staged.commit();
    progress.published(generation);
    if (first && !output.reloadOnFirst) await this.#skipReload(generation);
    const durationMs = clock.monoMs() - startedMs;
    const dir = output.dir === undefined ? {} : { dir: output.dir };
    emit({ kind: 'output-published', output: output.name, ...dir, generation, files, durationMs });
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
