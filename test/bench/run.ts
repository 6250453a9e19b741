/**
 * The whole benchmark: every row of the table in docs/benchmarks.md, one group of rows after the other, each a program
 * of its own in this folder. `npm run bench`; behind `--`:
 *
 * - `--only idle,poll`: these groups alone; the others stay as they were taken the last time.
 * - `--full`: 5,000 secrets as well.
 * - `--quick`: few and short turns, for a look while developing; writes no document.
 * - `--force`: writes the document although other programs took processor time meanwhile.
 *
 * A group that takes too long is ended and the others go on; a group leaves its rows in `.cache/bench`, so a run that
 * was broken off goes on with `--only`.
 */
import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuMs, machineCpuMs } from './proc.ts';
import { type Calm, writeDocs } from './write-docs.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

/** The groups in the order of the document, with the most that each may take. */
const GROUPS: Readonly<Record<string, number>> = {
  init: options.full ? 480_000 : 240_000,
  idle: 240_000,
  poll: 420_000,
  api: 300_000,
  proxy: 240_000,
  change: 240_000,
  scale: 300_000,
};

/** More of the whole machine than this taken by others, and it was not quiet. */
const QUIET = 0.08;

const chosen = options.only?.split(',') ?? Object.keys(GROUPS);
const unknown = chosen.filter((name) => !(name in GROUPS));
if (unknown.length > 0) throw new Error(`no group is named ${unknown.join(', ')}: ${Object.keys(GROUPS).join(', ')}`);

const failed: string[] = [];
const calm = new Map<string, Calm>();
for (const name of Object.keys(GROUPS).filter((one) => chosen.includes(one))) {
  console.log(`\n== ${name}`);
  const others = await watchOthers();
  const startedMs = performance.now();
  if (!(await runGroup(name, GROUPS[name] as number))) failed.push(name);
  const othersShare = await others();
  calm.set(name, { othersShare, isQuiet: othersShare <= QUIET });
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  console.log(`\n${seconds} s; others took ${(othersShare * 100).toFixed(0)} % of the machine`);
}

const loud = [...calm].filter(([, { isQuiet }]) => !isQuiet).map(([name]) => name);
if (failed.length > 0) console.error(`\nfailed: ${failed.join(', ')}`);
if (loud.length > 0) console.error(`\nthe machine was not quiet during: ${loud.join(', ')}`);
if (options.quick) console.log('\n--quick: docs/benchmarks.md stays as it is');
else if (loud.length > 0 && !options.force)
  console.error('docs/benchmarks.md stays as it is; --force writes it anyway');
else if (failed.length > 0) console.error('docs/benchmarks.md stays as it is; run what failed with --only');
else await writeDocs(Object.keys(GROUPS), calm);
process.exitCode = failed.length > 0 || (loud.length > 0 && !options.force && !options.quick) ? 1 : 0;

/** False: it failed or took too long; then its whole process group is ended, servers and agents with it. */
async function runGroup(name: string, mostMs: number): Promise<boolean> {
  const flags = [...(options.quick ? ['--quick'] : []), ...(options.full && name === 'init' ? ['--full'] : [])];
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...flags], {
    stdio: 'inherit',
    detached: true,
  });
  const endAll = () => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL');
    } catch {
      // all of them have ended
    }
  };
  const interrupted = () => {
    endAll();
    process.exit(130);
  };
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  const timer = setTimeout(() => {
    console.error(`${name} took more than ${mostMs / 1_000} s`);
    endAll();
  }, mostMs);
  const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  endAll(); // what it left behind
  return status === 0;
}

/** Answers, when called, which share of the machine's processors was taken by all but this program and its children. */
async function watchOthers(): Promise<() => Promise<number>> {
  const [all, own, startedMs] = [await machineCpuMs(), await cpuMs('self', true), performance.now()];
  return async () => {
    const taken = (await machineCpuMs()) - all - ((await cpuMs('self', true)) - own);
    return Math.max(0, taken) / ((performance.now() - startedMs) * cpus().length);
  };
}
