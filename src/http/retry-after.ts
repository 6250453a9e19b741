/**
 * The header Retry-After, seconds or an HTTP date (RFC 9110, 10.2.3), in milliseconds from now; not capped here, since
 * `backoffMs` decides what of it counts. However many digits it has, a number of seconds is a time.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Math.min(Number(header) * 1000, Number.MAX_SAFE_INTEGER);
  const at = Date.parse(header);
  return Number.isNaN(at) || !/[a-z]{3}/i.test(header) ? undefined : Math.max(0, at - nowMs);
}
