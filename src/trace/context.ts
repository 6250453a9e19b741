/** What W3C Trace Context carries from one process to the next: https://www.w3.org/TR/trace-context/ */
export interface RemoteContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** A later version may have more members after the flags; version 00 has none, and ff is never valid. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The header `traceparent`; undefined when it is not valid, and then it counts as absent. */
export function parseTraceparent(text: string): RemoteContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(text.trim()) ?? [];
  if (version === undefined || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceparent({ traceId, spanId, sampled }: RemoteContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** An id of as many random bytes, in hexadecimal digits; never all zero. @param random uniform in [0, 1). */
export function randomId(bytes: 8 | 16, random: () => number): string {
  let id = '';
  while (id.length < bytes * 2) {
    id += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  }
  return /^0+$/.test(id) ? `${id.slice(1)}1` : id;
}
