/**
 * Reads the header Retry-After, seconds or an HTTP date (RFC 9110, section 10.2.3), as milliseconds from now; undefined
 * when it is absent or neither. It is not limited here: `backoffMs` does that. A number of seconds with very many
 * digits counts as a very long time.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Math.min(Number(header) * 1000, Number.MAX_SAFE_INTEGER);
  const at = Date.parse(header);
  return Number.isNaN(at) || !/[a-z]{3}/i.test(header) ? undefined : Math.max(0, at - nowMs);
}
