import type { TraceIds } from '../base/tracing.ts';
import type { Line } from './lines.ts';

/**
 * A log line as JSON, with its end: byte for byte what pino makes of it, so that tools for its logs read ours. Half a
 * surrogate pair is escaped, as pino does it from Node 25 on.
 * @param ids the span in which the fact happened.
 */
export function jsonLine({ level, message, fields }: Line, wallMs: number, ids?: TraceIds): string {
  let text = `{"level":"${level}","time":"${new Date(wallMs).toISOString()}"`;
  for (const [name, value] of Object.entries(fields)) {
    // A field after another of the same name as well: pino does not look, either.
    if (value !== undefined) text += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
  if (ids !== undefined) text += `,"trace_id":"${ids.traceId}","span_id":"${ids.spanId}"`;
  return `${text},"msg":${JSON.stringify(message)}}\n`;
}
