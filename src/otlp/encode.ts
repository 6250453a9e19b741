/** What is told with a span or a log record: text, numbers, and names. */
export type Attributes = Readonly<Record<string, unknown>>;

/**
 * Attributes as OTLP with JSON has them: 64-bit numbers as texts, and what is undefined left out.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function keyValues(attributes: Attributes): readonly object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

/** To the microsecond: a double has no more digits for a time of our days. */
export function unixNano(wallMs: number): string {
  return `${BigInt(Math.round(wallMs * 1e3)) * 1000n}`;
}

/** `value` is what JSON can hold. */
function anyValue(value: unknown): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: `${value}` } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return value === null || value === undefined ? {} : { kvlistValue: { values: keyValues(value as Attributes) } };
}
