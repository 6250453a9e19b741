/**
 * Breaks the code in one place per promise and checks that the promise's test fails. `npm run test:cuts` makes the
 * quick cuts, `-- --slow` all of them; further words choose promises by their ids.
 *
 * Each cut is made in a copy of the work tree, so the tree itself is never touched. Ends with status 1 when a cut
 * survives, when its text does not occur exactly once, or when a held promise has no cut.
 */
import { readFileSync } from 'node:fs';
import { PROMISES } from '../promises/index.ts';
import type { TestName } from '../promises/promise.ts';
import { ADVICE } from './advice.ts';
import { CERTIFICATES } from './certificates.ts';
import { COMMANDS } from './commands.ts';
import { type Copy, copyTree, runTests } from './copy.ts';
import type { Cut } from './cut.ts';
import { DOCUMENTATION } from './documentation.ts';
import { DRIFT } from './drift.ts';
import { EXEC } from './exec.ts';
import { FLEET } from './fleet.ts';
import { FRESHNESS } from './freshness.ts';
import { INJECTOR } from './injector.ts';
import { KEYSTORES } from './keystores.ts';
import { KUBERNETES } from './kubernetes.ts';
import { MOVING_IN } from './moving-in.ts';
import { OUTAGE } from './outage.ts';
import { PROXY } from './proxy.ts';
import { PUBLISHING } from './publishing.ts';
import { PUSH } from './push.ts';
import { RELOAD } from './reload.ts';
import { REPLACED } from './replaced.ts';
import { SDS } from './sds.ts';
import { SECRECY } from './secrecy.ts';
import { SECURITY } from './security.ts';
import { STATE } from './state.ts';
import { STATEMENT } from './statement.ts';
import { TRACES } from './traces.ts';

/** More tests at the same time would disturb those that measure time. */
const LANES = 2;

interface Job {
  readonly cut: Cut;
  readonly test: TestName;
}

const args = process.argv.slice(2);
const chosen = new Set(args.filter((arg) => !arg.startsWith('-')));
const isChosen = ({ promise, slow }: Cut) =>
  (chosen.size === 0 || chosen.has(promise)) && (slow !== true || args.includes('--slow'));
const all: readonly Cut[] = [
  ...FRESHNESS,
  ...CERTIFICATES,
  ...PUBLISHING,
  ...DRIFT,
  ...RELOAD,
  ...REPLACED,
  ...EXEC,
  ...OUTAGE,
  ...FLEET,
  ...STATE,
  ...SECRECY,
  ...SECURITY,
  ...PROXY,
  ...MOVING_IN,
  ...DOCUMENTATION,
  ...ADVICE,
  ...INJECTOR,
  ...KEYSTORES,
  ...KUBERNETES,
  ...SDS,
  ...COMMANDS,
  ...TRACES,
  ...STATEMENT,
  ...PUSH,
];
const held = PROMISES.flatMap((promise) => ('held' in promise ? [promise] : []));

const faults = held.filter(({ id }) => !all.some(({ promise }) => promise === id)).map(({ id }) => `${id}: no cut`);
const jobs = all.flatMap((cut) => jobOf(cut) ?? []).filter(({ cut }) => isChosen(cut));
const noticed: Cut[] = [];

const copies = await Promise.all(Array.from({ length: LANES }, copyTree));
try {
  // Without a cut, each of the tests passes.
  await share([...new Set(jobs.map(({ test }) => test.file))], async (file, copy) => {
    const tests = jobs.filter(({ test }) => test.file === file).map(({ test }) => test);
    const { passed, failed, log } = await runTests(copy, file, tests);
    if (failed.length > 0 || passed === 0) faults.push(`${file} fails without a cut: ${failed.join()}\n${log}`);
  });
  await share(jobs, async ({ cut, test }, copy) => {
    const restore = copy.change(cut.file, (text) => text.replace(cut.find, () => cut.replace));
    const { passed, failed, log } = await runTests(copy, test.file, [test]);
    restore();
    const how = failed.length > 0 ? 'seen to fail' : passed > 0 ? 'SURVIVED' : 'DID NOT RUN';
    tell(cut.promise.padEnd(34), `${cut.file}: ${shown(cut.find)}`.padEnd(86), how);
    if (failed.length > 0) noticed.push(cut);
    else faults.push(`${cut.promise}: ${how} with ${JSON.stringify(cut.find)} cut in ${cut.file}${passed ? '' : log}`);
  });
} finally {
  await Promise.all(copies.map((copy) => copy[Symbol.asyncDispose]()));
}

const slowOnes = chosen.size > 0 || args.includes('--slow') ? 0 : all.filter(({ slow }) => slow).length;
const proven = new Set(noticed.map(({ promise }) => promise)).size;
tell(`\n${PROMISES.length} promises: ${held.length} held, ${PROMISES.length - held.length} pending`);
tell(`${jobs.length} cuts: ${noticed.length} seen to fail, of ${proven} promises; ${slowOnes} more with --slow`);
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

/**
 * The cut with the test that must fail; undefined, with a fault reported, when the cut does not fit the code or tests.
 */
function jobOf(cut: Cut): Job | undefined {
  const { promise, by, file, find } = cut;
  const tests = held.find(({ id }) => id === promise)?.held ?? [];
  const [test, ...more] = by === undefined ? tests.slice(0, 1) : tests.filter((one) => nameOf(one).includes(by));
  const count = readFileSync(file, 'utf8').split(find).length - 1;
  if (test === undefined) faults.push(`${promise}: no test of it ${by === undefined ? '' : `says "${by}"`}`);
  else if (more.length > 0) faults.push(`${promise}: ${more.length + 1} tests say "${by}"`);
  else if (count !== 1) faults.push(`${promise}: ${file} has ${count} × ${JSON.stringify(find)}`);
  else return { cut, test };
  return undefined;
}

/** Works on each item in a copy that is free. */
async function share<T>(items: readonly T[], work: (item: T, copy: Copy) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    copies.map(async (copy) => {
      for (const item of rest) await work(item, copy);
    }),
  );
}

function nameOf({ title, row = '' }: TestName): string {
  return `${title} ${row}`;
}

function shown(find: string): string {
  const line = find.trim().split('\n', 1)[0] ?? '';
  return line.length > 48 ? `${line.slice(0, 47)}…` : line;
}

function tell(...words: readonly string[]): void {
  process.stdout.write(`${words.join('  ')}\n`);
}
