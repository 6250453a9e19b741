import { type Cut, cutIn } from './cut.ts';

const causes = cutIn('src/trace/causes.ts');
const openSpan = cutIn('src/trace/open-span.ts');
const sender = cutIn('src/trace/sender.ts');
const settings = cutIn('src/trace/settings.ts');
const client = cutIn('src/backend/vault/client/create-client.ts');
const schemas = cutIn('src/log/schemas.ts');

export const TRACES: readonly Cut[] = [
  causes('trace-of-a-rotation', 'number > done', 'number < done'),
  causes('trace-of-a-rotation', 'published?.generation === work.generation', 'published !== undefined', {
    by: 'follow the publish',
  }),
  cutIn('src/trace/tracer.ts')('trace-of-a-client', '(remote ?? running?.ids)', 'running?.ids'),
  client('trace-of-a-client', ', ...tracing.headers() }', ' }', { by: 'each request' }),
  openSpan('trace-is-what-happened', '!this.isCall && ', ''),
  sender('traces-hold-nothing-up', 'spans.slice(0, room)', 'spans'),
  sender('traces-hold-nothing-up', '() => this.#giveUp.abort()', '() => {}', { by: 'within a bound' }),
  settings(
    'traces-settings',
    "warn(found.place, `${wrong === '' ? 'it is a socket' : wrong},",
    'warn(found.place, `${found.text}${wrong},',
  ),
  schemas('log-schemas', '{ id: ids.traceId }', '{ id: ids.spanId }'),
];
