/**
 * `npm run fuzz [-- --inputs N] [--seed N] [--write] [BORDER…]`: gives N inputs (100,000) to the borders, each its
 * share, and prints what came of it. `--write` puts the table into docs/security.md. Ends with 1 when something was
 * found.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Fuzzed, fuzz } from './border.ts';
import { BORDERS } from './borders/index.ts';

const args = process.argv.slice(2);
const numberOf = (name: string, other: number) => {
  const at = args.indexOf(name);
  return at === -1 ? other : Number(args.splice(at, 2)[1]);
};
const inputs = numberOf('--inputs', 100_000);
const seed = numberOf('--seed', Date.now() % 2 ** 31);
const writes = args.includes('--write');
const words = args.filter((word) => !word.startsWith('--'));
const chosen = BORDERS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const all = chosen.reduce((sum, { share }) => sum + share, 0);

process.stdout.write(`seed ${seed}\n`);
const results: Fuzzed[] = [];
for (const border of chosen) {
  const result = await fuzz(border, seed, Math.ceil((border.share / all) * inputs));
  results.push(result);
  const codes = [...result.codes].map(([code, count]) => `${code} ${count}`).join(', ');
  process.stdout.write(`${rowOf(result)}\n  ${codes}\n${result.finding === undefined ? '' : `${result.finding}\n`}`);
}
const total = results.reduce((sum, { inputs: count }) => sum + count, 0);
const minutes = results.reduce((sum, { totalMs }) => sum + totalMs, 0) / 60_000;
const findings = results.filter(({ finding }) => finding !== undefined).length;
const last = `${total.toLocaleString('en')} inputs in ${minutes.toFixed(0)} minutes, ${findings} findings (seed ${seed})`;
process.stdout.write(`${last}\n`);
if (writes) write([...results.map(rowOf), '', `Last run: ${last}.`].join('\n'));
process.exit(findings === 0 ? 0 : 1);

function rowOf({ border, inputs: count, slowestMs, finding }: Fuzzed): string {
  return `| ${border} | ${count.toLocaleString('en')} | ${Math.ceil(slowestMs)} ms | ${finding === undefined ? 'none' : 'found'} |`;
}

/** Replaces the rows of the table in docs/security.md. */
function write(rows: string): void {
  const page = readFileSync('docs/security.md', 'utf8');
  const head = '| border | inputs | slowest | findings |\n| --- | --- | --- | --- |\n';
  const from = page.indexOf(head);
  const to = page.indexOf('\n\n', page.indexOf('Last run: ', from));
  if (from === -1 || to === -1) throw new Error('docs/security.md has no table of borders');
  writeFileSync('docs/security.md', page.slice(0, from) + head + rows + page.slice(to));
}
