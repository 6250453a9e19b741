import { cpus, loadavg } from 'node:os';

/** One line of the table, told against a goal when there is one. */
export interface Row {
  readonly work: string;
  readonly unit: 'ms' | 'us' | 'MiB' | '/s' | '';
  readonly baoAgent?: number;
  readonly pannier: number;
  /** Most that `pannier` may be, a share of `baoAgent` or a number of its own; or how many times `baoAgent` it must be. */
  readonly goal?: { readonly share: number } | { readonly atMost: number } | { readonly times: number };
}

/** Undefined: it has no goal. */
export function isMet({ baoAgent = Number.NaN, pannier, goal }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  if ('times' in goal) return pannier / baoAgent >= goal.times;
  return 'share' in goal ? pannier / baoAgent <= goal.share : pannier <= goal.atMost;
}

export function printTable(rows: readonly Row[]): void {
  const cells = [['work', 'bao agent', 'pannier', 'ratio', 'goal', ''], ...rows.map(cellsOf)];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of cells) {
    const line = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)));
    console.log(line.join('  ').trimEnd());
  }
}

function cellsOf(row: Row): string[] {
  const { work, unit, baoAgent, pannier, goal } = row;
  const told = (value: number | undefined) =>
    value === undefined ? '' : `${unit === '' || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`.trim();
  const ratio = baoAgent === undefined ? '' : `${(pannier / baoAgent).toFixed(2)} x`;
  const limit = goal === undefined ? '' : limitOf(goal);
  const met = isMet(row);
  return [work, told(baoAgent), told(pannier), ratio, limit, met === undefined ? '' : met ? 'met' : 'missed'];
}

function limitOf(goal: NonNullable<Row['goal']>): string {
  if ('times' in goal) return `>= ${goal.times} x`;
  return 'share' in goal ? `<= ${goal.share} x` : `<= ${goal.atMost}`;
}

/** What the numbers were taken on. */
export function machine(): { cores: number; cpu: string; node: string; load: number } {
  const [first] = cpus();
  return {
    cores: cpus().length,
    cpu: first?.model ?? 'unknown',
    node: process.versions.node,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
