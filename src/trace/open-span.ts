import type { TraceIds } from '../base/tracing.ts';
import type { Attributes } from '../otlp/encode.ts';
import type { RemoteContext } from './context.ts';
import { SPAN_KIND, type Span } from './span.ts';

export interface OpenSpanOptions {
  readonly ids: TraceIds;
  readonly parentId: string | undefined;
  readonly isParentRemote: boolean;
  /** The span that runs and that this one is a part of: it keeps what ends in it. */
  readonly within: OpenSpan | undefined;
  readonly links: readonly RemoteContext[];
  readonly name: string;
  readonly kind: Span['kind'];
  readonly attributes: Attributes;
  /** The span is told only when something came of it. */
  readonly isTellingOptional: boolean;
  readonly startWallMs: number;
  readonly startMonoMs: number;
}

/** Spans that are kept until the work around them ends; more of one piece of work are left out. */
const MAX_PARTS = 1_000;

/** A span whose work goes on. */
export class OpenSpan {
  readonly #options: OpenSpanOptions;
  readonly #parts: Span[] = [];
  #attributes: Attributes;
  #error: Span['error'];
  #isWorthTelling = false;
  isEnded = false;

  constructor(options: OpenSpanOptions) {
    this.#options = options;
    this.#attributes = options.attributes;
  }

  /** Whether the span is one request to a server. */
  get isCall(): boolean {
    return this.#options.kind === SPAN_KIND.client;
  }

  get ids(): TraceIds {
    return this.#options.ids;
  }

  set(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  /** Something came of the work. */
  tell(): void {
    this.#isWorthTelling = true;
  }

  /** The work failed; the first failure counts. */
  fail(why: NonNullable<Span['error']>): void {
    this.#error ??= { code: why.code, place: why.place };
    this.#isWorthTelling = true;
  }

  /** A part of the work has ended. */
  add(part: Span): void {
    if (this.#parts.length < MAX_PARTS) this.#parts.push(part);
  }

  /** The wall clock at a moment since the span began: it does not jump within a span. */
  wallAt(monoMs: number): number {
    return this.#options.startWallMs + monoMs - this.#options.startMonoMs;
  }

  /** Ends the span. Returns what is to be sent: nothing while the work around it goes on, which keeps it. */
  end(monoMs: number): readonly Span[] {
    this.isEnded = true;
    const { ids, parentId, isParentRemote, within, links, name, kind, startWallMs, isTellingOptional } = this.#options;
    if (isTellingOptional && !this.#isWorthTelling && within === undefined) return [];
    const endWallMs = this.wallAt(monoMs);
    const span: Span = {
      ...{ traceId: ids.traceId, spanId: ids.spanId, parentId, isParentRemote, name, kind, links, startWallMs },
      ...{ endWallMs, attributes: this.#attributes, error: this.#error },
    };
    // That a request failed is for the work around it to judge: a poll for what is not there gets 404 each time.
    if (!this.isCall && (this.#isWorthTelling || !isTellingOptional)) within?.tell();
    if (!ids.sampled) return [];
    if (within === undefined || within.isEnded) return [...this.#parts, span];
    for (const part of [...this.#parts, span]) within.add(part);
    return [];
  }
}
