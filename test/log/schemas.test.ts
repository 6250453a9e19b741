import { describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';
import { lineOf } from '../../src/log/lines.ts';
import { createLogger, type LogSchema } from '../../src/log/logger.ts';

const IDS = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true };

const FACTS: readonly Fact[] = [
  { kind: 'output-published', output: 'shop', dir: '/run/shop', generation: 2, files: 1, durationMs: 12.4 },
  {
    kind: 'login-failed',
    backend: 'bao',
    method: 'jwt',
    failure: failure('AUTH_DENIED', 'backends.bao', 'HTTP 403'),
    retryInMs: 5,
  },
  { kind: 'backend-answered', backend: 'bao', call: 'GET secret/data/app', status: 200, durationMs: 3 },
  { kind: 'agent-warning', warning: failure('LOG_FILE', 'log.file', 'a "quoted"\nline') },
  { kind: 'api-audit', audit: true, where: 'unix:///s', action: 'read', outcome: 'done', secret: 'app', version: '3' },
  { kind: 'api-audit', audit: true, where: 'unix:///s', action: 'enter', outcome: 'refused', code: 'API_TOKEN' },
];

/** The line of a fact, parsed as a pipeline does it: one JSON object with its end, and no key twice. */
async function parsed(fact: Fact, schema: LogSchema, traced = true): Promise<Readonly<Record<string, unknown>>> {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const emit = await createLogger({
    ...{ level: 'debug', format: 'json', schema, write },
    ...(traced ? { traced: () => IDS } : {}),
  });
  emit(fact);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/);
  return JSON.parse(lines[0] ?? '') as Readonly<Record<string, unknown>>;
}

const LEVELS = { debug: 5, info: 9, warn: 13, error: 17 } as const;

// biome-ignore lint/suspicious/noExplicitAny: a line is of any shape until its reader has looked at it
type Parsed = any;

/** What every schema has to say of a fact, taken from a line of each. */
const READERS: { readonly [S in LogSchema]: (line: Parsed) => Readonly<Record<string, unknown>> } = {
  pannier: ({ level, time, msg, fact, trace_id, span_id, ...rest }) => {
    expect(new Date(time).toISOString()).toBe(time);
    return { level, msg, fact, trace: [trace_id, span_id], ...rest };
  },
  // https://www.elastic.co/guide/en/ecs-logging/overview/current/intro.html, and the types of the fields of ECS.
  ecs: ({ '@timestamp': time, 'log.level': level, message, 'ecs.version': version, ...more }) => {
    const { event, service, trace, span, error, pannier, ...unknown } = more;
    expect(unknown).toEqual({});
    expect(new Date(time).toISOString()).toBe(time);
    expect(version).toMatch(/^8\.\d+\.\d+$/);
    expect(service).toEqual({ name: 'pannier', type: 'pannier' });
    expect(event.kind).toBe('event');
    const { action, duration, dataset, outcome } = event;
    const isAudit = pannier.where !== undefined;
    expect(dataset).toBe(isAudit ? 'pannier.audit' : 'pannier.log');
    if (isAudit) expect(['success', 'failure', 'unknown']).toContain(outcome);
    if (duration !== undefined) expect(Number.isSafeInteger(duration)).toBe(true);
    return {
      ...{ level, msg: message, fact: action, trace: [trace?.id, span?.id], ...pannier },
      ...(isAudit ? { audit: true } : {}),
      ...(duration === undefined ? {} : { durationMs: duration / 1e6 }),
      ...(error === undefined ? {} : { code: error.code, ...(error.message && { seen: error.message }) }),
    };
  },
  // https://opentelemetry.io/docs/specs/otel/logs/data-model/
  otel: ({ Timestamp, SeverityText, SeverityNumber, Body, EventName, Attributes, Resource, ...ids }) => {
    const { TraceId, SpanId, TraceFlags, ...unknown } = ids;
    expect(unknown).toEqual({});
    expect(Timestamp).toMatch(/^1\d{9}\d{9}$|^\d{19}$/);
    expect(Resource).toEqual({ 'service.name': 'pannier' });
    const level = SeverityText.toLowerCase() as keyof typeof LEVELS;
    expect(SeverityNumber).toBe(LEVELS[level]);
    if (TraceId !== undefined) expect(TraceFlags).toBe('01');
    const { 'error.type': code, 'error.message': seen, ...rest } = Attributes;
    const own = Object.entries(rest).map(([name, value]) => {
      expect(name).toMatch(/^pannier\./);
      return [name.replace('pannier.', ''), value];
    });
    return {
      ...{ level, msg: Body, fact: EventName.replace(/^pannier\./, ''), trace: [TraceId, SpanId] },
      ...Object.fromEntries(own),
      ...(code === undefined ? {} : { code, ...(seen && { seen }) }),
    };
  },
};

describe('a log line', () => {
  it.each(Object.keys(READERS) as LogSchema[])('says the same in each schema: %s', async (schema) => {
    for (const fact of FACTS) {
      const { level, message, fields } = lineOf(fact);
      const said = { level, msg: message, ...fields };
      expect(READERS[schema](await parsed(fact, schema))).toEqual({ ...said, trace: [IDS.traceId, IDS.spanId] });
      expect(READERS[schema](await parsed(fact, schema, false))).toEqual({ ...said, trace: [undefined, undefined] });
    }
  });

  it('in ECS begins with the fields that its specification puts first', async () => {
    const line = await parsed(FACTS[0] as Fact, 'ecs');
    expect(Object.keys(line).slice(0, 4)).toEqual(['@timestamp', 'log.level', 'message', 'ecs.version']);
  });
});
