const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The form of a duration; also of those beyond a hundred years. */
export const WHOLE_DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Largest duration taken: a hundred years. Beyond it arithmetic on times stops being exact to the millisecond. */
const MAX_MS = 36_525 * 86_400_000;

/**
 * `500ms`, `1h30m`, `30d` in milliseconds; units ms, s, m, h, d. `undefined` for anything else: a bare number, a
 * sign, a space, or more than a hundred years.
 */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE_DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(PART)) ms += Number(number) * (UNIT_MS[unit as string] as number);
  return ms <= MAX_MS ? Math.round(ms) : undefined;
}

/** The shortest compound form for people: `1h30m`, `250ms`, `0s`. */
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
