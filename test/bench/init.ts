/**
 * `pannier init` beside `bao agent`: wall time and peak memory of the same start, from the same server, with the same
 * login, in turns. `npm run bench`, with `-- --quick` for fewer turns and `-- --full` for 5,000 secrets as well.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBaoVersion, startWorld, type World } from '../servers/index.ts';
import { baoAgent, type Contender, pannier } from './contenders.ts';
import { CONNECTION_GOAL, GOALS, requestGoal } from './goals.ts';
import { inTurns, type Result, summarise } from './in-turns.ts';
import { machine, printTable, type Row } from './report.ts';
import { type Stopwatch, startStopwatch } from './stopwatch.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, full: { type: 'boolean', default: false } },
});

/** Counted turns, by number of secrets. */
const TURNS: ReadonlyMap<number, number> = new Map([
  [1, options.quick ? 5 : 21],
  [10, options.quick ? 5 : 21],
  [100, options.quick ? 5 : 11],
  [1_000, options.quick ? 1 : 5],
  ...(options.full ? [[5_000, options.quick ? 1 : 3] as const] : []),
]);

/** The number of secrets whose requests are counted. */
const COUNTED = 100;

const started = machine();
const dir = await mkdtemp('/dev/shm/pannier-bench-');
try {
  await using world = await startWorld();
  using watch = startStopwatch();
  const names = await putSecrets(world, Math.max(...TURNS.keys()));
  const rows: Row[] = [];
  const results: Record<string, unknown> = {};

  const floor = await bareNode(watch, dir);
  results['node -e 0'] = floor;
  rows.push({ work: 'node -e 0, wall', unit: 'ms', pannier: floor.median.wallMs });
  rows.push({ work: 'node -e 0, peak', unit: 'MiB', pannier: floor.median.peakMiB });

  for (const [count, turns] of TURNS) {
    const work = { world, dir, secrets: names.slice(0, count) };
    const contenders = [await baoAgent(work), await pannier(work)];
    const [bao, ours] = (await inTurns(watch, contenders, turns)) as [Result, Result];
    results[`${count} secrets`] = { baoAgent: bao, pannier: ours };
    rows.push(...rowsOf(count, bao, ours));
    if (count !== COUNTED) continue;
    const [baoAsked, oursAsked] = (await inSequence(contenders, (one) => asked(world, watch, one))) as [Asked, Asked];
    results['asked'] = { secrets: count, baoAgent: baoAsked, pannier: oursAsked };
    rows.push(...askedRows(count, baoAsked, oursAsked));
  }

  const { cores, cpu, node, load } = started;
  console.log(`${cores} cores (${cpu}), load ${load}, Node ${node}, OpenBao ${openBaoVersion}, medians\n`);
  printTable(rows);
  await mkdir('.cache/bench', { recursive: true });
  const report = { at: new Date().toISOString(), machine: { ...started, bao: openBaoVersion }, rows, results };
  await writeFile('.cache/bench/init.json', `${JSON.stringify(report, null, 2)}\n`);
} finally {
  await rm(dir, { recursive: true, force: true });
}

/** `secret/shop/s0001` and so on, each with a password of its own; resolves to the names. */
async function putSecrets(world: World, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, at) => `s${String(at + 1).padStart(4, '0')}`);
  const left = names.values();
  const put = async () => {
    for (const name of left)
      await world.putSecret(name, { username: 'shop', password: `of-${name}-${'x'.repeat(24)}` });
  };
  await Promise.all(Array.from({ length: 16 }, put));
  return names;
}

/** Below this no program that runs on Node can come. */
async function bareNode(watch: Stopwatch, home: string): Promise<Result> {
  const order = { argv: [process.execPath, '-e', '0'], env: {}, log: join(home, 'node.log') };
  const turns = Array.from({ length: options.quick ? 5 : 21 });
  return summarise(await inSequence(turns, () => watch.measure(order)));
}

function rowsOf(count: number, bao: Result, ours: Result): Row[] {
  const { wall, peak } = GOALS.get(count) ?? {};
  const secrets = count === 1 ? '1 secret' : `${count.toLocaleString('en')} secrets`;
  const row = (what: string, unit: Row['unit'], key: 'wallMs' | 'cpuMs' | 'peakMiB', share?: number): Row => ({
    work: `${secrets}, ${what}`,
    unit,
    baoAgent: bao.median[key],
    pannier: ours.median[key],
    ...(share === undefined ? {} : { goal: { share } }),
  });
  return [row('wall', 'ms', 'wallMs', wall), row('CPU', 'ms', 'cpuMs'), row('peak', 'MiB', 'peakMiB', peak)];
}

/** What one start asked of the server. */
interface Asked {
  readonly requests: number;
  readonly connections: number;
}

async function asked(world: World, watch: Stopwatch, { clear, order }: Contender): Promise<Asked> {
  const before = (await world.bao.requests()).length;
  await clear();
  await watch.measure(order);
  const made = (await world.bao.requests()).slice(before);
  return { requests: made.length, connections: new Set(made.map(({ remotePort }) => remotePort)).size };
}

function askedRows(count: number, bao: Asked, ours: Asked): Row[] {
  const work = `${count} secrets`;
  const [requests, connections] = [requestGoal(count), CONNECTION_GOAL].map((atMost) => ({ atMost }));
  return [
    { work: `${work}, requests`, unit: '', baoAgent: bao.requests, pannier: ours.requests, goal: requests },
    { work: `${work}, connections`, unit: '', baoAgent: bao.connections, pannier: ours.connections, goal: connections },
  ] as Row[];
}

async function inSequence<One, Answer>(all: readonly One[], act: (one: One) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const one of all) answers.push(await act(one));
  return answers;
}
