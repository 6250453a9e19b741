/** A decoder of OTLP's JSON that takes nothing but what the specification has, and of that what the agent uses. */

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  readonly startNano: bigint;
  readonly endNano: bigint;
  readonly flags: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** The message of an error; undefined: the status is unset. */
  readonly error: string | undefined;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: { readonly name: string; readonly version: string };
}

/** @throws Error that says where `text` is not an `ExportTraceServiceRequest`. */
export function decodeTraces(text: string): readonly ReceivedSpan[] {
  const spans: ReceivedSpan[] = [];
  for (const ofResource of list(object(JSON.parse(text), ['resourceSpans'])['resourceSpans'])) {
    const { resource, scopeSpans } = object(ofResource, ['resource', 'scopeSpans']);
    const about = attributesOf(object(resource, ['attributes'])['attributes']);
    for (const ofScope of list(scopeSpans)) {
      const { scope, spans: all } = object(ofScope, ['scope', 'spans']);
      const { name, version } = object(scope, ['name', 'version']);
      for (const span of list(all)) {
        spans.push(spanOf(span, about, { name: string(name), version: string(version) }));
      }
    }
  }
  return spans;
}

export interface ReceivedLog {
  readonly timeNano: bigint;
  readonly severity: number;
  readonly severityText: string;
  readonly body: string;
  readonly event: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Absent: the record belongs to no span. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly resource: Readonly<Record<string, unknown>>;
}

const LOG_MEMBERS = ['timeUnixNano', 'observedTimeUnixNano', 'severityNumber', 'severityText', 'body', 'eventName'];

/** @throws Error that says where `text` is not an `ExportLogsServiceRequest`. */
export function decodeLogs(text: string): readonly ReceivedLog[] {
  const logs: ReceivedLog[] = [];
  for (const ofResource of list(object(JSON.parse(text), ['resourceLogs'])['resourceLogs'])) {
    const { resource, scopeLogs } = object(ofResource, ['resource', 'scopeLogs']);
    const about = attributesOf(object(resource, ['attributes'])['attributes']);
    for (const ofScope of list(scopeLogs)) {
      const { scope, logRecords } = object(ofScope, ['scope', 'logRecords']);
      string(object(scope, ['name', 'version'])['name']);
      logs.push(...list(logRecords).map((record) => logOf(record, about)));
    }
  }
  return logs;
}

function logOf(value: unknown, resource: ReceivedLog['resource']): ReceivedLog {
  const record = object(value, [...LOG_MEMBERS, 'attributes', 'traceId', 'spanId', 'flags']);
  const timeNano = uint64(record['timeUnixNano']);
  if (timeNano !== uint64(record['observedTimeUnixNano'])) throw new Error('observed at another time');
  assertNow(timeNano, timeNano);
  const severity = integer(record['severityNumber']);
  if (severity < 1 || severity > 24) throw new Error(`severity ${severity}`);
  const isInSpan = record['traceId'] !== undefined;
  if (isInSpan !== (record['spanId'] !== undefined)) throw new Error('half of the ids of a span');
  if (isInSpan && ![0, 1].includes(integer(record['flags']))) throw new Error('flags of a span');
  return {
    ...{ timeNano, severity, resource },
    severityText: string(record['severityText']),
    body: string(anyValue(record['body'])),
    event: string(record['eventName']),
    attributes: attributesOf(record['attributes']),
    traceId: isInSpan ? hex(record['traceId'], 16) : undefined,
    spanId: isInSpan ? hex(record['spanId'], 8) : undefined,
  };
}

const MEMBERS = ['traceId', 'spanId', 'parentSpanId', 'flags', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano'];
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

function spanOf(value: unknown, resource: ReceivedSpan['resource'], scope: ReceivedSpan['scope']): ReceivedSpan {
  const span = object(value, [...MEMBERS, 'attributes', 'links', 'status']);
  const kind = KINDS[integer(span['kind'])];
  if (kind !== 'internal' && kind !== 'server' && kind !== 'client') throw new Error(`kind ${kind}`);
  const [startNano, endNano] = [uint64(span['startTimeUnixNano']), uint64(span['endTimeUnixNano'])];
  if (endNano < startNano) throw new Error('a span ends before it begins');
  assertNow(startNano, endNano);
  const status = span['status'] === undefined ? undefined : object(span['status'], ['code', 'message']);
  if (status !== undefined && integer(status['code']) !== 2) throw new Error('a status that is no error');
  const flags = integer(span['flags']);
  if (flags < 0 || flags > 0xffff_ffff) throw new Error(`flags ${flags}`);
  const name = string(span['name']);
  if (name === '') throw new Error('a span without a name');
  return {
    ...{ traceId: hex(span['traceId'], 16), spanId: hex(span['spanId'], 8), name, kind, startNano, endNano, flags },
    parentSpanId: span['parentSpanId'] === undefined ? undefined : hex(span['parentSpanId'], 8),
    attributes: attributesOf(span['attributes']),
    links: list(span['links'] ?? []).map((link) => {
      const { traceId, spanId } = object(link, ['traceId', 'spanId']);
      return { traceId: hex(traceId, 16), spanId: hex(spanId, 8) };
    }),
    error: status === undefined ? undefined : string(status['message']),
    ...{ resource, scope },
  };
}

/** Between 2020 and 2100: a number of milliseconds or microseconds is neither. */
function assertNow(startNano: bigint, endNano: bigint): void {
  if (startNano < 1_577_836_800n * 10n ** 9n || endNano > 4_102_444_800n * 10n ** 9n) throw new Error('not now');
}

function attributesOf(value: unknown): Readonly<Record<string, unknown>> {
  const attributes: Record<string, unknown> = {};
  for (const one of list(value)) {
    const { key, value } = object(one, ['key', 'value']);
    const name = string(key);
    if (name === '' || name in attributes) throw new Error(`attribute ${name}`);
    attributes[name] = anyValue(value);
  }
  return attributes;
}

function anyValue(value: unknown): unknown {
  const [[kind, of] = [], ...more] = Object.entries(value as object);
  if (more.length > 0) throw new Error('a value of two kinds');
  if (kind === 'stringValue') return string(of);
  if (kind === 'boolValue' && typeof of === 'boolean') return of;
  if (kind === 'intValue' && /^-?\d{1,19}$/.test(string(of))) return Number(of);
  if (kind === 'doubleValue' && typeof of === 'number') return of;
  if (kind === 'arrayValue') return list(object(of, ['values'])['values']).map(anyValue);
  if (kind === 'kvlistValue') return attributesOf(object(of, ['values'])['values']);
  throw new Error(`a value of kind ${kind}`);
}

function object(value: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`no object of ${known}`);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`unknown members: ${unknown}`);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('no list');
  return value;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Error('no string');
  return value;
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Error('no integer');
  return value as number;
}

/** 64-bit numbers are decimal strings in JSON. */
function uint64(value: unknown): bigint {
  if (!/^\d{1,20}$/.test(string(value))) throw new Error('no decimal number');
  return BigInt(value as string);
}

/** Ids are hexadecimal digits, not base64, and not all zero. */
function hex(value: unknown, bytes: number): string {
  const text = string(value);
  if (!new RegExp(`^[0-9a-f]{${bytes * 2}}$`).test(text) || /^0+$/.test(text)) throw new Error(`id ${text}`);
  return text;
}
