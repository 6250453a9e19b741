import { type Attributes, keyValues, unixNano } from '../otlp/encode.ts';
import type { Span } from './span.ts';

/**
 * Spans as the body of one request of OTLP/HTTP with JSON: ids in hexadecimal digits, 64-bit numbers as texts, enums as
 * numbers. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function encodeSpans(spans: readonly Span[], resource: Attributes, version: string): string {
  const scopeSpans = [{ scope: { name: 'pannier', version }, spans: spans.map(encodeSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: keyValues(resource) }, scopeSpans }] });
}

const STATUS_ERROR = 2;

/** The lowest flag says that the span is sampled; the next two are whether the parent is of another process. */
const SAMPLED = 0x001;
const KNOWS_PARENT = 0x100;
const PARENT_IS_REMOTE = 0x200;

function encodeSpan(span: Span): object {
  const { traceId, spanId, parentId, name, kind, startWallMs, endWallMs, attributes, links, error } = span;
  return {
    traceId,
    spanId,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    flags: SAMPLED | KNOWS_PARENT | (span.isParentRemote === true ? PARENT_IS_REMOTE : 0),
    name,
    kind,
    startTimeUnixNano: unixNano(startWallMs),
    endTimeUnixNano: unixNano(Math.max(startWallMs, endWallMs)),
    attributes: keyValues({ ...attributes, 'error.type': error?.code }),
    ...(links.length === 0 ? {} : { links: links.map(({ traceId, spanId }) => ({ traceId, spanId })) }),
    ...(error === undefined ? {} : { status: { code: STATUS_ERROR, message: `${error.code} (${error.place})` } }),
  };
}
