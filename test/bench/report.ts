import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { openBaoVersion } from '../servers/index.ts';

/** One line of the table, told against a goal when there is one. */
export interface Row {
  readonly work: string;
  /** `x` is a ratio by itself, `x/s` is how often something happens that is rare. */
  readonly unit: 'ms' | 'us' | 'ms/s' | 'MiB' | '/s' | 'x/s' | 'x' | '';
  readonly baoAgent?: number;
  /** Absent: only a floor is told. */
  readonly pannier?: number;
  /** What a program does that does nothing else, where there is one. */
  readonly floor?: number;
  /**
   * Most that `pannier` may be, a share of `baoAgent` or a number of its own; or the least that it must be, so many
   * times `baoAgent` or a number of its own.
   */
  readonly goal?:
    | { readonly share: number }
    | { readonly atMost: number }
    | { readonly times: number }
    | { readonly atLeast: number };
  /** A goal beside the other one: also at most so much. */
  readonly inside?: number;
}

/** What one group of rows leaves in `.cache/bench/GROUP.json`. */
export interface Report {
  readonly group: string;
  readonly at: string;
  readonly machine: Machine;
  readonly quick: boolean;
  /** Of the machine's processors, what others took meanwhile; the runner knows. */
  readonly othersShare?: number;
  readonly rows: readonly Row[];
  /** How it was measured, a sentence or two. */
  readonly how: string;
  /** Single runs and the like, for whoever wants to look closer. */
  readonly details?: unknown;
}

export type Machine = ReturnType<typeof machine> & { readonly bao: string };

export const REPORTS = '.cache/bench';

/** Prints the rows of a group and keeps them for docs/benchmarks.md. */
export async function tell(
  { group, rows, how, quick, details }: Omit<Report, 'at' | 'machine'>,
  started: ReturnType<typeof machine>,
): Promise<void> {
  const { cores, cpu, node, load } = started;
  console.log(`${cores} cores (${cpu}), load ${load} at the start, Node ${node}, OpenBao ${openBaoVersion}\n${how}\n`);
  printTable(rows);
  await mkdir(REPORTS, { recursive: true });
  const at = new Date().toISOString();
  const report: Report = { group, at, machine: { ...started, bao: openBaoVersion }, quick, how, rows, details };
  await writeFile(`${REPORTS}/${group}.json`, `${JSON.stringify(report, null, 2)}\n`);
}

/** Undefined: it has no goal. */
export function isMet({
  baoAgent = Number.NaN,
  pannier = Number.NaN,
  goal,
  inside = Infinity,
}: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  if (pannier > inside) return false;
  if ('times' in goal) return pannier / baoAgent >= goal.times;
  if ('atLeast' in goal) return pannier >= goal.atLeast;
  return 'share' in goal ? pannier / baoAgent <= goal.share : pannier <= goal.atMost;
}

export const HEADINGS: readonly string[] = ['work', 'bao agent', 'pannier', 'ratio', 'goal', '', 'floor'];

export function printTable(rows: readonly Row[]): void {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of cells) {
    const line = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)));
    console.log(line.join('  ').trimEnd());
  }
}

export function cellsOf(row: Row): string[] {
  const { work, unit, baoAgent, pannier, goal, inside, floor } = row;
  const told = (value: number | undefined) => {
    if (value === undefined) return '';
    const digits = unit === 'x' || unit === 'x/s' ? 2 : unit === '' || unit === '/s' || value >= 100 ? 0 : 1;
    return `${value.toFixed(digits)} ${unit}`.trim();
  };
  const ratio = !baoAgent || pannier === undefined ? '' : `${(pannier / baoAgent).toFixed(2)} x`;
  const limit = goal === undefined ? '' : limitOf(goal, unit) + (inside === undefined ? '' : `, ${told(inside)}`);
  const met = isMet(row);
  return [
    work,
    told(baoAgent),
    told(pannier),
    ratio,
    limit,
    met === undefined ? '' : met ? 'met' : 'missed',
    told(floor),
  ];
}

function limitOf(goal: NonNullable<Row['goal']>, unit: string): string {
  if ('times' in goal) return `>= ${goal.times} x`;
  if ('atLeast' in goal) return `>= ${goal.atLeast} ${unit}`.trim();
  return 'share' in goal ? `<= ${goal.share} x` : `<= ${goal.atMost} ${unit}`.trim();
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
