const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** What a duration looks like, of any length: it also matches one that is too long for `parseDuration`. */
export const WHOLE_DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** The longest duration: a hundred years, for which sums of times stay exact to the millisecond. */
const MAX_MS = 36_525 * 86_400_000;

/**
 * A duration such as `500ms`, `1h30m` or `30d` in milliseconds; the units are ms, s, m, h and d. Undefined for any
 * other text: a number without a unit, a sign, a space, or more than a hundred years.
 */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE_DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(PART)) ms += Number(number) * (UNIT_MS[unit as string] as number);
  return ms <= MAX_MS ? Math.round(ms) : undefined;
}

/** A duration for people, to the second from one second on: `1h30m`, `250ms`, `0s`. A negative one is `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  if (rest < 1000) return rest === 0 ? '0s' : `${rest}ms`;
  rest = Math.round(rest / 1000) * 1000;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNIT_MS[unit] as number;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
