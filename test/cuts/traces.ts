import { type Cut, cutIn } from './cut.ts';

const causes = cutIn('src/trace/causes.ts');
const openSpan = cutIn('src/trace/open-span.ts');
const sender = cutIn('src/otlp/exporter.ts');
const settings = cutIn('src/otlp/settings.ts');
const stream = cutIn('src/log/audit/stream.ts');
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
  sender('traces-hold-nothing-up', 'items.slice(0, room)', 'items'),
  sender('traces-hold-nothing-up', '() => this.#giveUp.abort()', '() => {}', { by: 'within a bound' }),
  settings(
    'traces-settings',
    "warn(found.place, `${wrong === '' ? 'it is a socket' : wrong},",
    'warn(found.place, `${found.text}${wrong},',
  ),
  cutIn('src/otlp/open-logs.ts')('logs-by-otlp', 'ABOUT_ITSELF.has(fact.kind) || ', '', {
    by: 'about their own',
  }),
  cutIn('src/otlp/encode-logs.ts')('logs-by-otlp', 'spanId: ids.spanId', 'spanId: ids.traceId'),
  sender('otlp-too-large', 'outcome.isTooLarge === true && ', 'outcome.isTooLarge === false && '),
  stream('audit-waits-for-nobody', 'this.#waiting.length < MAX_LINES * part', 'true'),
  cutIn('src/log/audit/socket-target.ts')(
    'audit-waits-for-nobody',
    "this.#late === 'under way') return 0",
    "this.#late === 'under way') return bytes.length",
    { by: 'slow reader of a socket' },
  ),
  stream('audit-not-lost-silently', 'if (!line.isInLog) otherwise(line.fact);', '', { by: 'full disk' }),
  stream('audit-waits-for-nobody', 'this.#lost++;', '', { by: 'are missing' }),
  cutIn('src/log/log-file.ts')('log-torn-line', 'this.#isTorn = at < bytes.length;', ''),
  cutIn('src/otlp/check-files.ts')(
    'traces-settings',
    "=== '' ? failed.seen : ",
    "=== '' ? failed.seen : failed.seen + ",
    {
      by: 'at the start',
    },
  ),
  cutIn('src/http/tls-files.ts')('traces-settings', '!holdsCertificate(ca)', 'holdsCertificate(ca)', {
    by: 'holds no certificate',
  }),
  cutIn('src/log/log-file.ts')('log-file-followed', 'a.dev === b.dev && a.ino === b.ino', 'a.dev === b.dev'),
  cutIn('src/log/logger.ts')('log-lines-whole', '? shortened(less, form, ids) : text', '? text : text'),
  schemas('log-schemas', '{ id: ids.traceId }', '{ id: ids.spanId }'),
];
