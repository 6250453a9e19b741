import type { Clock } from '../../base/clock.ts';
import type { Failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { OutputConfig } from '../../config/config.ts';
import type { DriftLook, Sink } from '../../deliver/sink.ts';
import type { DriftKeeper, LookResult } from './drift-keeper.ts';
import type { StatementKeeper } from './statement-keeper.ts';
import type { UsedValues } from './used-values.ts';

export interface LooksDeps {
  readonly output: Pick<OutputConfig, 'name'> & Partial<Pick<OutputConfig, 'drift'>>;
  readonly place: string;
  readonly sink: Sink;
  /** What the generations are made of. */
  readonly used: UsedValues;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** `dueMonoMs` may be another one now. */
  readonly onHint: () => void;
}

export const createLooks = (deps: LooksDeps): Looks => new Looks(deps);

/** After this long a start is over, and what an earlier process noted of its generations is read. */
const RECALL_MS = 1_000;

/**
 * What is done about a generation once it is published, later than publishing, so that it delays no reload: the sink
 * remembers it, what it is made of is noted, and it is looked at again. The code for that is loaded on first use.
 */
export class Looks implements Disposable {
  readonly #deps: LooksDeps;
  /** What is published and the sink has not remembered yet. */
  #toRemember: ReadonlyMap<string, Uint8Array> | undefined;
  #recallAtMs = Number.POSITIVE_INFINITY;
  /** Absent until something is published. */
  #drift: DriftKeeper | undefined;
  #statements: StatementKeeper | undefined;

  constructor(deps: LooksDeps) {
    this.#deps = deps;
  }

  /** How the published files differ from what was published; undefined: they did not at the last look. */
  get why(): Failure | undefined {
    return this.#drift?.why;
  }

  /** When `next` has work, on the monotonic clock. @param isGood what is published is known good: it is looked at. */
  dueMonoMs(isGood: boolean): number {
    if (this.#toRemember !== undefined) return 0;
    return Math.min(this.#recallAtMs, (isGood ? this.#drift?.dueMonoMs : undefined) ?? Number.POSITIVE_INFINITY);
  }

  /** An earlier process published something, and may have noted what it made it of. */
  recovered(): void {
    this.#recallAtMs = this.#deps.clock.monoMs() + RECALL_MS;
  }

  /** These files are on disk: they were just published, or compared. */
  published(files: ReadonlyMap<string, Uint8Array>): void {
    this.#toRemember = files;
    this.#drift?.published();
  }

  /** Reads what an earlier process noted, if that is still to be done. */
  async recall(): Promise<void> {
    if (this.#recallAtMs !== Number.POSITIVE_INFINITY) await this.#remember();
  }

  /** Remembers what is published, or else looks at it. */
  async next(): Promise<LookResult> {
    if (this.#toRemember === undefined && this.#recallAtMs > this.#deps.clock.monoMs()) {
      return await (this.#drift as DriftKeeper).check();
    }
    await this.#remember();
    return { kind: 'same' };
  }

  [Symbol.dispose](): void {
    this.#drift?.[Symbol.dispose]();
  }

  async #remember(): Promise<void> {
    const { output, sink, used, ...deps } = this.#deps;
    const look = (await sink.drift?.()) as DriftLook;
    const files = this.#toRemember;
    if (files !== undefined && this.#drift === undefined) {
      const { DriftKeeper } = await import('./drift-keeper.ts');
      this.#drift = new DriftKeeper({ ...deps, output: output.name, drift: output.drift, look });
    }
    this.#toRemember = undefined;
    this.#recallAtMs = Number.POSITIVE_INFINITY;
    if (files !== undefined) {
      await look.remember(files);
      this.#drift?.published();
    }
    if (this.#statements === undefined) {
      const { StatementKeeper } = await import('./statement-keeper.ts');
      this.#statements = new StatementKeeper(look, used);
    }
    await this.#statements.keep();
  }
}
