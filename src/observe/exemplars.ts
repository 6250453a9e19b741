import type { Counter, Histogram } from 'prom-client';
import type { Tracing } from '../base/tracing.ts';

/**
 * An exemplar names the trace that a count came of: `trace_id` and `span_id`, the names that Grafana and the
 * OpenMetrics specification use, 63 characters of the 128 that are allowed. Only what is in a trace that is sent gets
 * one: no request of a poll, since a poll that finds nothing new is no trace. Without traces nothing is kept.
 */
function exemplarOf(tracing: Pick<Tracing, 'current'> | undefined): {
  exemplarLabels?: Readonly<Record<string, string>>;
} {
  const ids = tracing?.current();
  return ids?.sampled === true ? { exemplarLabels: { trace_id: ids.traceId, span_id: ids.spanId } } : {};
}

type Labels<L extends string> = { readonly [name in L]?: string };

/** A counter whose series have exemplars where there are traces. */
export class TracedCounter<L extends string> {
  readonly #counter: Counter<L>;
  readonly #tracing: Pick<Tracing, 'current'> | undefined;

  constructor(counter: Counter<L>, tracing: Pick<Tracing, 'current'> | undefined) {
    this.#counter = counter;
    this.#tracing = tracing;
  }

  /** Makes a series that has counted nothing. */
  begin(labels: Labels<L>): void {
    if (this.#tracing === undefined) this.#counter.inc(labels, 0);
    else this.#counter.inc({ labels, value: 0 });
  }

  /** @param isTold whether the trace of the present work is sent. */
  inc(labels: Labels<L>, isTold: boolean): void {
    if (this.#tracing === undefined) this.#counter.inc(labels);
    else this.#counter.inc({ labels, value: 1, ...(isTold ? exemplarOf(this.#tracing) : {}) } as never);
  }
}

/** A histogram whose buckets have exemplars where there are traces. */
export class TracedHistogram<L extends string> {
  readonly #histogram: Histogram<L>;
  readonly #tracing: Pick<Tracing, 'current'> | undefined;

  constructor(histogram: Histogram<L>, tracing: Pick<Tracing, 'current'> | undefined) {
    this.#histogram = histogram;
    this.#tracing = tracing;
  }

  observe(labels: Labels<L>, value: number): void {
    if (this.#tracing === undefined) this.#histogram.observe(labels, value);
    else this.#histogram.observe({ labels, value, ...exemplarOf(this.#tracing) } as never);
  }
}
