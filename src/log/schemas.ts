import type { TraceIds } from '../base/tracing.ts';
import type { Level, Line } from './lines.ts';

/** The version of Elastic's Common Schema whose names are used. */
const ECS_VERSION = '8.11.0';

/** Fields of a failure, which have names of their own in both schemas. */
const FAILURE = new Set(['code', 'seen']);

const OUTCOMES: Readonly<Record<string, string>> = { done: 'success', failed: 'failure', refused: 'failure' };

/**
 * A log line under the names of the Elastic Common Schema: the first four fields as its specification for loggers has
 * them, dotted and at the top; what the schema does not know is below `pannier`.
 */
export function ecsLine({ level, message, fields }: Line, wallMs: number, ids?: TraceIds): string {
  const { fact, durationMs, code, seen, audit, outcome, ...rest } = fields;
  const isAudit = audit === true;
  return `${JSON.stringify({
    '@timestamp': new Date(wallMs).toISOString(),
    'log.level': level,
    message,
    'ecs.version': ECS_VERSION,
    service: { name: 'pannier', type: 'pannier' },
    event: {
      kind: 'event',
      action: fact,
      dataset: isAudit ? 'pannier.audit' : 'pannier.log',
      ...(typeof durationMs === 'number' ? { duration: durationMs * 1_000_000 } : {}),
      ...(isAudit ? { outcome: OUTCOMES[String(outcome)] ?? 'unknown' } : {}),
    },
    ...(code === undefined ? {} : { error: { code, type: code, message: seen } }),
    ...(ids === undefined ? {} : { trace: { id: ids.traceId }, span: { id: ids.spanId } }),
    pannier: outcome === undefined ? rest : { ...rest, outcome },
  })}\n`;
}

/** Texts and numbers of severities, as the log data model of OpenTelemetry maps them. */
const SEVERITIES: Readonly<Record<Level, readonly [text: string, number: number]>> = {
  debug: ['DEBUG', 5],
  info: ['INFO', 9],
  warn: ['WARN', 13],
  error: ['ERROR', 17],
};

/** What of a line has a name in OpenTelemetry's log data model, and the attributes that hold all else. */
export interface OtelRecord {
  readonly severity: string;
  readonly number: number;
  readonly event: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export function otelRecord({ level, fields }: Line): OtelRecord {
  const { fact, code, seen } = fields;
  const [severity, number] = SEVERITIES[level];
  const own = Object.entries(fields).filter(([name]) => name !== 'fact' && !FAILURE.has(name));
  return {
    ...{ severity, number, event: `pannier.${String(fact)}` },
    attributes: {
      ...Object.fromEntries(own.map(([name, value]) => [`pannier.${name}`, value])),
      ...(code === undefined ? {} : { 'error.type': code, 'error.message': seen }),
    },
  };
}

/**
 * A log line under the names of OpenTelemetry's log data model:
 * https://opentelemetry.io/docs/specs/otel/logs/data-model/
 */
export function otelLine(line: Line, wallMs: number, ids?: TraceIds): string {
  const { severity, number, event, attributes } = otelRecord(line);
  return `${JSON.stringify({
    Timestamp: `${BigInt(Math.round(wallMs)) * 1_000_000n}`,
    SeverityText: severity,
    SeverityNumber: number,
    Body: line.message,
    EventName: event,
    ...(ids === undefined ? {} : { TraceId: ids.traceId, SpanId: ids.spanId, TraceFlags: ids.sampled ? '01' : '00' }),
    Resource: { 'service.name': 'pannier' },
    Attributes: attributes,
  })}\n`;
}
