const UNITS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
];

/** The largest unit of a duration alone, for ages and lives: `3d`, `5h`, `2m`, `10s`. */
export function formatRoughly(ms: number): string {
  const [size, unit] = UNITS.find(([length]) => ms >= length) ?? [1, 'ms'];
  return `${Math.floor(Math.max(0, ms) / size)}${unit}`;
}
