/**
 * Agents at rest: resident memory and processor time of `pannier run` with its API and its proxy beside `bao agent`
 * with its cache and its proxy, each with a file a secret; and of a `pannier run` whose secrets are read once a day, so
 * that nothing is due. All run at the same time, since none does anything.
 */
import { parseArgs } from 'node:util';
import { startWorld } from '../servers/index.ts';
import { writeBaoAgent, writePannier } from './contenders.ts';
import { activityOf, residentMiB } from './proc.ts';
import { machine, type Row, tell } from './report.ts';
import { createStage, median, pause, putSecrets, type Resident } from './resident.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
/** Go gives memory back within some minutes; half of one has been enough for it to be steady. */
const SETTLE_MS = options.quick ? 8_000 : 45_000;
/** Longer than what an agent does each half minute. */
const SAMPLES = options.quick ? 5 : 16;
const SAMPLE_MS = 2_000;
const GOALS = [
  { count: 10, share: 0.8, residentMiB: 60 },
  { count: 1_000, share: 0.08, residentMiB: 66 },
] as const;
const MAX_CPU_MS = 1;
const MAX_WAKES = 0.5;

const started = machine();
await using world = await startWorld();
const goals = options.quick ? GOALS.slice(0, 1) : GOALS;
const names = await putSecrets(world, Math.max(...goals.map(({ count }) => count)));
const rows: Row[] = [];
for (const { count, share, residentMiB: inside } of goals) {
  await using stage = await createStage();
  await using other = await createStage();
  const { address } = world.bao;
  const work = { address, tokenFile: world.tokenFile, dir: stage.dir, secrets: names.slice(0, count) };
  const serving = { socket: true, proxy: true };
  const all = [
    await stage.baoAgent(await writeBaoAgent(work, { socket: true })),
    await stage.pannier(await writePannier(work, serving)),
    await other.pannier(await writePannier({ ...work, dir: other.dir }, { ...serving, refresh: '24h' })),
  ] as const;
  for (const one of all) await one.published(count);
  await pause(SETTLE_MS);
  const [bao, ours, idle] = await Promise.all([atRest(all[0]), atRest(all[1]), atRest(all[2])]);
  const label = `${count.toLocaleString('en')} secrets at rest`;
  rows.push(
    {
      work: `${label}, resident`,
      unit: 'MiB',
      baoAgent: bao.residentMiB,
      pannier: ours.residentMiB,
      goal: { share },
      inside,
    },
    {
      work: `${label}, CPU`,
      unit: 'ms/s',
      baoAgent: bao.cpuMs,
      pannier: ours.cpuMs,
      goal: { atMost: MAX_CPU_MS },
    },
    { work: `${label}, nothing due, CPU`, unit: 'ms/s', pannier: idle.cpuMs, goal: { atMost: MAX_CPU_MS } },
    { work: `${label}, nothing due, wake-ups`, unit: 'x/s', pannier: idle.wakes, goal: { atMost: MAX_WAKES } },
  );
}
const how = `API and proxy on sockets (bao agent: its proxy and cache) and a file a secret, read again by its agent's default (pannier: each 5 minutes); nothing due: each day. After ${SETTLE_MS / 1_000} s of rest ${SAMPLES} looks, ${SAMPLE_MS / 1_000} s apart: the median of memory, and processor time and wake-ups of the main thread in between.`;
await tell({ group: 'idle', rows, how, quick: options.quick }, started);

interface Rest {
  readonly residentMiB: number;
  /** A second, as the next one. */
  readonly cpuMs: number;
  readonly wakes: number;
}

async function atRest({ pid }: Resident): Promise<Rest> {
  const before = await activityOf(pid);
  const startedMs = performance.now();
  const looks: number[] = [];
  for (let look = 0; look < SAMPLES; look++) {
    await pause(SAMPLE_MS);
    looks.push(await residentMiB(pid));
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const now = await activityOf(pid);
  return {
    residentMiB: median(looks),
    cpuMs: (now.cpuMs - before.cpuMs) / seconds,
    wakes: (now.waits - before.waits) / seconds,
  };
}
