import type { Work } from '../base/tracing.ts';
import { operationOf } from '../observe/operation-of.ts';
import type { Attributes } from '../otlp/encode.ts';
import { SPAN_KIND, type Span } from './span.ts';

/** How many names of secrets a span has at most. */
const MAX_NAMES = 10;

interface Described {
  readonly name: string;
  readonly kind: Span['kind'];
  readonly attributes: Attributes;
  readonly isTellingOptional: boolean;
}

/** The span of a piece of work, as it begins. Names of spans are a few words, so that receivers can count by them. */
export function describeWork(work: Work): Described {
  const named = (name: string, attributes: Attributes, kind: Span['kind'] = SPAN_KIND.internal): Described => ({
    name,
    kind,
    attributes,
    isTellingOptional: work.kind === 'attempt' || work.kind === 'publish' || work.kind === 'call',
  });
  switch (work.kind) {
    case 'start':
      return named('start', {});
    case 'configuration':
      return named('take configuration', {});
    case 'attempt':
      return named(work.doing === 'fetch' ? 'fetch secret' : 'renew lease', {
        'pannier.secrets': namesOf(work.secrets),
      });
    case 'login':
      return named(work.doing, { 'pannier.backend': work.backend });
    case 'call': {
      const operation = operationOf(work.call);
      const attributes = { 'pannier.backend': work.backend, 'pannier.operation': operation };
      return named(`backend ${operation}`, attributes, SPAN_KIND.client);
    }
    case 'publish':
      return named('publish output', { 'pannier.output': work.output });
    case 'reload':
      return named('reload application', { 'pannier.output': work.output, 'pannier.generation': work.generation });
    case 'request':
      return named(work.route, {}, SPAN_KIND.server);
  }
}

/** The name of a computed secret holds its path, which may be private. */
function namesOf(secrets: Iterable<string>): readonly string[] {
  const names = [...new Set([...secrets].map((name) => (name.includes(' ') ? '(computed)' : name)))];
  return names.slice(0, MAX_NAMES);
}
