const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration of Go in milliseconds, rounded up; a bare number is seconds. Undefined when it is none. */
export function goDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|μs|ms|s|m|h|d))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d*)?)([^\d.]+)/g))
    ms += Number(number) * (UNITS[unit] ?? 0);
  return Math.ceil(ms);
}

/** A duration as a configuration of Pannier has it: `1m30s`. */
export function formatMs(ms: number): string {
  if (ms === 0) return '0s';
  let left = ms;
  let text = '';
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(left / size);
    if (count > 0) text += `${count}${unit}`;
    left -= count * size;
  }
  return text;
}
