import type { Clock } from '../base/clock.ts';
import type { Fact } from '../base/fact.ts';
import { operationOf } from '../observe/operation-of.ts';
import type { Attributes } from '../otlp/encode.ts';
import { randomId } from './context.ts';
import type { OpenSpan } from './open-span.ts';
import { SPAN_KIND, type Span } from './span.ts';

interface HearDeps {
  readonly clock: Pick<Clock, 'monoMs'>;
  readonly random: () => number;
}

/**
 * Writes into the running span what a fact says, or adds a span for a part that has ended. Only what is named here
 * reaches a trace: names of secrets, outputs and backends, numbers, and the words and codes of Pannier.
 */
export function hearFact(fact: Fact, span: OpenSpan, deps: HearDeps): void {
  HEARD[fact.kind]?.(fact as never, span, (name, lastedMs, attributes, more) => {
    const endMonoMs = deps.clock.monoMs();
    span.add({
      traceId: span.ids.traceId,
      spanId: randomId(8, deps.random),
      parentId: span.ids.spanId,
      name,
      kind: SPAN_KIND.internal,
      startWallMs: span.wallAt(endMonoMs - lastedMs),
      endWallMs: span.wallAt(endMonoMs),
      attributes,
      links: [],
      ...more,
    });
  });
}

/** Adds a part of the work that lasted until now. */
type AddPart = (name: string, lastedMs: number, attributes: Attributes, more?: Partial<Span>) => void;

type FactOf<K extends Fact['kind']> = Extract<Fact, { kind: K }>;
type Answered = FactOf<'backend-answered' | 'backend-failed'>;

const fail = ({ failure }: { readonly failure: NonNullable<Span['error']> }, span: OpenSpan) => span.fail(failure);

const HEARD: {
  readonly [K in Fact['kind']]?: (fact: FactOf<K>, span: OpenSpan, addPart: AddPart) => void;
} = {
  'backend-answered': hearAnswer,
  'backend-failed': hearAnswer,
  'login-made'({ method, login }, span) {
    span.set({ 'pannier.auth.method': method, 'pannier.login': login });
    span.tell();
  },
  'login-renewed': ({ login }, span) => span.set({ 'pannier.login': login }),
  'login-failed': fail,
  'login-renew-failed': fail,
  'secret-changed'({ first }, span) {
    span.set({ 'pannier.change': first ? 'first' : 'changed' });
    span.tell();
  },
  'secret-kept'(_, span) {
    span.set({ 'pannier.change': 'kept' });
    span.tell();
  },
  'secret-unchanged': (_, span) => span.set({ 'pannier.change': 'none' }),
  'secret-absent'({ again }, span) {
    span.set({ 'pannier.change': 'absent' });
    if (!again) span.tell();
  },
  'secret-renewed': (_, span) => span.tell(),
  'secret-failed': fail,
  'output-rendered': ({ output, result, durationMs }, _, addPart) =>
    addPart('render', durationMs, { 'pannier.output': output, 'pannier.result': result }),
  'output-checked': ({ output, durationMs, failure }, _, addPart) =>
    addPart('check', durationMs, { 'pannier.output': output }, { error: failure }),
  'output-published'({ generation, files }, span) {
    span.set({ 'pannier.generation': generation, 'pannier.files': files });
    span.tell();
  },
  'output-failed': fail,
  'output-rolled-back'(fact, span) {
    span.set({ 'pannier.rolled_back_to': fact.generation });
    span.fail(fact.failure);
  },
  'reload-step': ({ output, step, how, durationMs, failure }, _, addPart) =>
    addPart(
      how === 'verify' ? 'verify' : `reload by ${how}`,
      durationMs,
      { 'pannier.output': output, 'pannier.step': step },
      { error: failure },
    ),
  'reload-failed': fail,
};

/** Not every client opens a span for its request. */
function hearAnswer(fact: Answered, span: OpenSpan, addPart: AddPart): void {
  const status = fact.kind === 'backend-answered' ? fact.status : undefined;
  const error = errorOf(fact);
  const answered = { 'http.response.status_code': status };
  if (span.isCall) {
    span.set(answered);
    if (error !== undefined) span.fail(error);
    return;
  }
  const operation = operationOf(fact.call);
  const attributes = { 'pannier.backend': fact.backend, 'pannier.operation': operation, ...answered };
  addPart(`backend ${operation}`, fact.durationMs, attributes, { kind: SPAN_KIND.client, error });
}

function errorOf(fact: Answered): Span['error'] {
  if (fact.kind === 'backend-failed') return fact.failure;
  return fact.status < 400 ? undefined : { code: `${fact.status}`, place: `backends.${fact.backend}` };
}
