/** The header Retry-After, seconds or an HTTP date (RFC 9110, 10.2.3), in milliseconds from now; not capped here. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) || !/[a-z]{3}/i.test(header) ? undefined : Math.max(0, at - nowMs);
}
