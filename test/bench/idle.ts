/**
 * Agents at rest: resident memory and processor time of `pannier run` with its API beside `bao agent` with its cache
 * and its proxy, each with a file a secret. Both run at the same time, since neither does anything.
 */
import { parseArgs } from 'node:util';
import { startWorld } from '../servers/index.ts';
import { writeBaoAgent, writePannier } from './contenders.ts';
import { cpuMs, residentMiB } from './proc.ts';
import { machine, type Row, tell } from './report.ts';
import { createStage, median, pause, putSecrets } from './resident.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const COUNTS = options.quick ? [10] : [10, 1_000];
/** Go gives memory back within some minutes; half of one has been enough for it to be steady. */
const SETTLE_MS = options.quick ? 8_000 : 45_000;
const SAMPLES = 5;
const SHARES = new Map([
  [10, 0.8],
  [1_000, 0.08],
]);

const started = machine();
await using world = await startWorld();
const names = await putSecrets(world, Math.max(...COUNTS));
const rows: Row[] = [];
for (const count of COUNTS) {
  await using stage = await createStage();
  const { address } = world.bao;
  const work = { address, tokenFile: world.tokenFile, dir: stage.dir, secrets: names.slice(0, count) };
  const both = [
    await stage.baoAgent(await writeBaoAgent(work, { socket: true })),
    await stage.pannier(await writePannier(work, { socket: true })),
  ];
  for (const one of both) await one.published(count);
  await pause(SETTLE_MS);
  const [bao, ours] = await Promise.all(both.map(({ pid }) => atRest(pid)));
  const share = SHARES.get(count) as number;
  const label = `${count.toLocaleString('en')} secrets at rest`;
  rows.push({
    work: `${label}, resident`,
    unit: 'MiB',
    baoAgent: bao?.residentMiB ?? Number.NaN,
    pannier: ours?.residentMiB ?? Number.NaN,
    goal: { share },
    ...(count === 10 ? { inside: 64 } : {}),
  });
  rows.push({
    work: `${label}, CPU`,
    unit: 'ms/s',
    baoAgent: bao?.cpuMs ?? Number.NaN,
    pannier: ours?.cpuMs ?? Number.NaN,
  });
}
const how = `The local API (bao agent: its proxy and cache) and a file a secret; after ${SETTLE_MS / 1_000} s of rest the median of ${SAMPLES} looks, two seconds apart.`;
await tell({ group: 'idle', rows, how, quick: options.quick }, started);

async function atRest(pid: number): Promise<{ residentMiB: number; cpuMs: number }> {
  const before = await cpuMs(pid);
  const startedMs = performance.now();
  const looks: number[] = [];
  for (let look = 0; look < SAMPLES; look++) {
    await pause(2_000);
    looks.push(await residentMiB(pid));
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  return { residentMiB: median(looks), cpuMs: ((await cpuMs(pid)) - before) / seconds };
}
