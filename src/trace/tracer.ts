import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../base/clock.ts';
import type { Emit, Fact } from '../base/fact.ts';
import type { TraceIds, Tracing, Work } from '../base/tracing.ts';
import { Causes } from './causes.ts';
import { formatTraceparent, parseTraceparent, randomId } from './context.ts';
import { hearFact } from './hear-fact.ts';
import { OpenSpan } from './open-span.ts';
import type { Sampler } from './sampler.ts';
import type { Span } from './span.ts';
import { describeWork } from './work.ts';

export interface TracerDeps {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly sampler: Sampler;
  readonly sender: { add(spans: readonly Span[]): void; close(): Promise<void> };
  /** Called when there is an agent, with where its facts go. */
  readonly onStart?: (emit: Emit) => void;
}

/**
 * Makes spans of facts. What an asynchronous call emits belongs to the span that it runs in, so no part of the agent
 * passes a span on. Three rules say which trace a span is of:
 *
 * - Work in the course of other work is its child: the login that a fetch waits for, a request of the fetch.
 * - Publishing follows what it publishes: its parent is the first fetch that brought a change, and it has links to the
 *   others. A reload follows the publish of its generation.
 * - Anything else begins a trace. A timer that earlier work has set is none of that work.
 *
 * A span is kept until the work that it is a part of has ended. An attempt that found nothing new is no trace, so that
 * polls do not bury what happened.
 */
export class Tracer implements Tracing {
  readonly #deps: TracerDeps;
  readonly #running = new AsyncLocalStorage<OpenSpan>();
  readonly #causes = new Causes();
  #emit: Emit = () => {};

  constructor(deps: TracerDeps) {
    this.#deps = deps;
  }

  within<T>(work: Work, run: () => Promise<T>): Promise<T> {
    const span = this.#open(work);
    return this.#running.run(span, async () => {
      try {
        return await run();
      } finally {
        this.#end(span);
      }
    });
  }

  current(): TraceIds | undefined {
    return this.#live()?.ids;
  }

  headers(): Readonly<Record<string, string>> {
    const span = this.#live();
    return span === undefined ? {} : { traceparent: formatTraceparent(span.ids) };
  }

  hear(fact: Fact): void {
    const span = this.#live();
    this.#causes.hear(fact, span?.ids);
    if (span !== undefined) hearFact(fact, span, this.#deps);
  }

  /** Reports of the sender, which is made before there is an agent, go where the agent's facts go. */
  emitTo(emit: Emit): void {
    this.#emit = emit;
    this.#deps.onStart?.(emit);
  }

  readonly report: Emit = (fact) => this.#emit(fact);

  close(): Promise<void> {
    return this.#deps.sender.close();
  }

  #live(): OpenSpan | undefined {
    const span = this.#running.getStore();
    return span?.isEnded === false ? span : undefined;
  }

  #open(work: Work): OpenSpan {
    const { clock, random, sampler } = this.#deps;
    const running = this.#live();
    const causes = work.kind === 'publish' || work.kind === 'reload' ? this.#causes.of(work) : undefined;
    const remote = work.kind === 'request' ? parseTraceparent(work.traceparent) : undefined;
    const [parent = causes === undefined ? (remote ?? running?.ids) : undefined, ...links] = causes ?? [];
    const traceId = parent?.traceId ?? randomId(16, random);
    const sampled = parent === undefined || parent === remote ? sampler(traceId, remote) : parent.sampled;
    return new OpenSpan({
      ids: { traceId, spanId: randomId(8, random), sampled },
      parentId: parent?.spanId,
      isParentRemote: remote !== undefined,
      within: parent !== undefined && parent === running?.ids ? running : undefined,
      links,
      ...describeWork(work),
      startWallMs: clock.wallMs(),
      startMonoMs: clock.monoMs(),
    });
  }

  #end(span: OpenSpan): void {
    const spans = span.end(this.#deps.clock.monoMs());
    if (spans.length > 0) this.#deps.sender.add(spans);
  }
}
