/**
 * Whether a secret costs the same among ten thousand, in one configuration file of more than 1 MiB: `pannier init` with
 * 1,000 and with 10,000, in turns.
 */
import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startWorld } from '../servers/index.ts';
import { pannier } from './contenders.ts';
import { summarise } from './in-turns.ts';
import { machine, type Row, tell } from './report.ts';
import { createStage, putSecrets } from './resident.ts';
import { startStopwatch, type Taken } from './stopwatch.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const [FEW, MANY] = options.quick ? ([200, 2_000] as const) : ([1_000, 10_000] as const);
const TURNS = options.quick ? 1 : 3;
const FLAT = 1.2;

const started = machine();
await using world = await startWorld();
await using stage = await createStage();
using watch = startStopwatch();
const names = await putSecrets(world, MANY);
const work = { address: world.bao.address, tokenFile: world.tokenFile, dir: stage.dir };
const few = { agent: await pannier({ ...work, secrets: names.slice(0, FEW) }), runs: [] as Taken[] };
const many = { agent: await pannier({ ...work, secrets: names }), runs: [] as Taken[] };
for (let turn = 0; turn <= TURNS; turn++) {
  for (const { agent, runs } of [few, many]) {
    await agent.clear();
    const taken = await watch.measure(agent.order);
    if (turn > 0) runs.push(taken); // the first warms up
  }
}
const { size } = await stat(many.agent.order.argv.at(-1) as string);
const [before, after] = [summarise(few.runs).median, summarise(many.runs).median];
const times = (key: 'wallMs' | 'cpuMs') => after[key] / MANY / (before[key] / FEW);
const label = `a secret among ${MANY.toLocaleString('en')} against one among ${FEW.toLocaleString('en')}`;
const rows: Row[] = [
  { work: `${label}, wall`, unit: 'x', pannier: times('wallMs'), goal: { atMost: FLAT } },
  { work: `${label}, CPU`, unit: 'x', pannier: times('cpuMs'), goal: { atMost: FLAT } },
  { work: `init with ${MANY.toLocaleString('en')} secrets in one file, wall`, unit: 'ms', pannier: after.wallMs },
  { work: `init with ${MANY.toLocaleString('en')} secrets in one file, peak`, unit: 'MiB', pannier: after.peakMiB },
];
const how = `\`init\`, medians of ${TURNS} turns: wall time and CPU divided by the number of secrets. The larger configuration is one file of ${(size / 2 ** 20).toFixed(1)} MiB.`;
await tell({ group: 'scale', rows, how, quick: options.quick, details: { few: few.runs, many: many.runs } }, started);
