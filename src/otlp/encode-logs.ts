import type { TraceIds } from '../base/tracing.ts';
import type { Line } from '../log/lines.ts';
import { otelRecord } from '../log/schemas.ts';
import { type Attributes, keyValues, unixNano } from './encode.ts';

/** A log line that waits to be sent. */
export interface LogRecord {
  readonly line: Line;
  readonly wallMs: number;
  /** The span in which the fact happened. */
  readonly ids: TraceIds | undefined;
}

/** Log lines as the body of one request of OTLP/HTTP with JSON; names as `log.schema: otel` has them. */
export function encodeLogs(records: readonly LogRecord[], resource: Attributes, version: string): string {
  const scopeLogs = [{ scope: { name: 'pannier', version }, logRecords: records.map(encodeRecord) }];
  return JSON.stringify({ resourceLogs: [{ resource: { attributes: keyValues(resource) }, scopeLogs }] });
}

/** The lowest flag says that the span is sampled. */
const SAMPLED = 0x01;

function encodeRecord({ line, wallMs, ids }: LogRecord): object {
  const { severity, number, event, attributes } = otelRecord(line);
  const time = unixNano(wallMs);
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: number,
    severityText: severity,
    body: { stringValue: line.message },
    eventName: event,
    attributes: keyValues(attributes),
    ...(ids && { traceId: ids.traceId, spanId: ids.spanId, flags: ids.sampled ? SAMPLED : 0 }),
  };
}
