import type { Fact } from './fact.ts';
import type { Reporter } from './reporter.ts';

/** One piece of work that becomes a span, as its beginner describes it. No member holds a value. */
export type Work =
  /** A configuration is taken: the first one, or a later one. */
  | { readonly kind: 'start' | 'configuration' }
  /** A secret is fetched, or its lease renewed; `secrets` are all its names. */
  | { readonly kind: 'attempt'; readonly secrets: Iterable<string>; readonly doing: 'fetch' | 'renew' }
  | { readonly kind: 'login'; readonly backend: string; readonly doing: 'log in' | 'renew login' }
  /** One request to a backend; `call` is method and path. */
  | { readonly kind: 'call'; readonly backend: string; readonly call: string }
  /** An output is rendered and published; `secrets` are those that it needs. */
  | { readonly kind: 'publish'; readonly output: string; readonly secrets: Iterable<string> }
  | { readonly kind: 'reload'; readonly output: string; readonly generation: number }
  /** A client's request to the local API; `traceparent` is the header that it came with. */
  | { readonly kind: 'request'; readonly route: string; readonly traceparent: string };

/** What a log line names to be found beside its trace. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/**
 * Makes traces of facts. The agent has one only where traces are configured: each use of it is `tracing?.…`, and costs
 * nothing without.
 */
export interface Tracing extends Reporter {
  /**
   * Runs `run` at once. The facts that it emits, and what it calls in turn, belong to a span that ends with it. Its
   * result and its errors are passed on.
   */
  within<T>(work: Work, run: () => Promise<T>): Promise<T>;
  /** The span that runs now; undefined outside of any. */
  current(): TraceIds | undefined;
  /** Headers that carry the present span on to a server; empty outside of any. */
  headers(): Readonly<Record<string, string>>;
  hear(fact: Fact): void;
}
