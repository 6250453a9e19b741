/**
 * Simulates fleets and writes what it found into docs: `npm run simulate` for 200, 10,000 and 100,000 agents, or for
 * the sizes that are given. A fleet of 100,000 takes about 35 minutes of one core. The drawings are
 * docs/fleet/*.svg, the figures docs/fleet/results.json, and the table of docs/fleet.md is made of these.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawFleet } from './draw-fleet.ts';
import { type FleetFigures, figuresOf, HELD, tableOf } from './figures.ts';
import { type FleetResult, simulateFleet } from './simulate-fleet.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/fleet');
const results = join(folder, 'results.json');
const SEED = 1;
const SPREADS_S = [0, 30, 600] as const;

mkdirSync(folder, { recursive: true });
const sizes = process.argv.slice(2).map(Number);
for (const agents of sizes.length > 0 ? sizes : [200, 10_000, 100_000]) {
  const startedMs = Date.now();
  const common = { agents, seed: SEED, reloadSpreadMs: 120_000 };
  const starts: [number, FleetResult][] = [];
  for (const spreadS of SPREADS_S) {
    starts.push([spreadS, await simulateFleet({ ...common, startSpreadMs: spreadS * 1000, minutes: 14 })]);
  }
  const result = await simulateFleet({ ...common, startSpreadMs: 600_000 });
  const figures = figuresOf(result, starts);
  writeFileSync(join(folder, `${agents}-agents.svg`), drawFleet(result));
  if (agents === 10_000)
    writeFileSync(join(folder, `${agents}-agents-at-once.svg`), drawFleet(starts[0]?.[1] ?? result));
  keep(figures);
  const tooMuch = HELD.filter((phase) => figures.peaks[phase] > 2);
  console.log(JSON.stringify(figures), `${Math.round((Date.now() - startedMs) / 1000)} s`);
  if (tooMuch.length > 0) {
    console.error(`more than twice the steady load: ${tooMuch.join(', ')}`);
    process.exitCode = 1;
  }
}

function keep(figures: FleetFigures): void {
  const known = readResults().filter(({ agents }) => agents !== figures.agents);
  const all = [...known, figures].sort((a, b) => a.agents - b.agents);
  writeFileSync(results, `${JSON.stringify(all, null, 2)}\n`);
  const page = join(root, 'docs/fleet.md');
  const text = readFileSync(page, 'utf8');
  const table = `<!-- made by npm run simulate -->\n\n${tableOf(all)}\n\n<!-- end -->`;
  writeFileSync(
    page,
    text.replace(/<!-- made by npm run simulate -->[\s\S]*<!-- end -->/, () => table),
  );
}

function readResults(): readonly FleetFigures[] {
  try {
    return JSON.parse(readFileSync(results, 'utf8')) as FleetFigures[];
  } catch {
    return [];
  }
}
