/** What keeping unchanged secrets fresh costs: processor time a second while all are read again at their interval. */
import { parseArgs } from 'node:util';
import { startWorld } from '../servers/index.ts';
import { writeBaoAgent, writePannier } from './contenders.ts';
import { cpuMs } from './proc.ts';
import { machine, type Row, tell } from './report.ts';
import { createStage, pause, putSecrets } from './resident.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
/** Warm-up is more than an interval, the window two and more. */
const CASES = [
  {
    count: 100,
    every: '1s',
    share: 0.1,
    warmMs: options.quick ? 6_000 : 15_000,
    windowMs: options.quick ? 5_000 : 20_000,
  },
  ...(options.quick ? [] : [{ count: 1_000, every: '30s', share: 0.07, warmMs: 40_000, windowMs: 60_000 }]),
];

const started = machine();
await using world = await startWorld();
const names = await putSecrets(world, Math.max(...CASES.map(({ count }) => count)));
const rows: Row[] = [];
for (const { count, every, share, warmMs, windowMs } of CASES) {
  const taken: number[] = [];
  for (const agent of ['baoAgent', 'pannier'] as const) {
    await using stage = await createStage();
    const { address } = world.bao;
    const work = { address, tokenFile: world.tokenFile, dir: stage.dir, secrets: names.slice(0, count) };
    const one =
      agent === 'baoAgent'
        ? await stage.baoAgent(await writeBaoAgent(work, { refresh: every }))
        : await stage.pannier(await writePannier(work, { refresh: every }));
    await one.published(count);
    await pause(warmMs);
    const [before, startedMs] = [await cpuMs(one.pid), performance.now()];
    await pause(windowMs);
    taken.push(((await cpuMs(one.pid)) - before) / ((performance.now() - startedMs) / 1_000));
  }
  const [baoAgent = Number.NaN, pannier = Number.NaN] = taken;
  const work = `${count.toLocaleString('en')} secrets polled each ${every === '1s' ? 'second' : every}, CPU`;
  rows.push({ work, unit: 'ms/s', baoAgent, pannier, goal: { share } });
}
const how = 'User and system time over a window of two intervals and more, after a warm-up; one agent after the other.';
await tell({ group: 'poll', rows, how, quick: options.quick }, started);
