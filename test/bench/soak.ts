/**
 * Hours in minutes: `pannier run` with 10,000 secrets in 1,000 outputs, of which some change all the time, all of them
 * now and then. `npm run soak:many`, with `-- --minutes 30` for longer than ten and `-- --secrets 1000` for fewer.
 *
 * Stops by itself; status 1 when a file does not show the last value, memory keeps growing, or descriptors leak.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startWorld } from '../servers/index.ts';
import { type Work, writePannier } from './contenders.ts';
import { cpuMs, residentMiB } from './proc.ts';
import { createStage, median, pause, putSecrets } from './resident.ts';

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, secrets: { type: 'string', default: '10000' } },
});
const SECRETS = Number(options.secrets);
const IN_OUTPUT = 10;
const LOOK_MS = 10_000;
/** Each secret is read again so often. */
const REFRESH_S = 60;
/** Between two changes of all secrets; the others are of a few. */
const ALL_EACH_MS = 180_000;
const GROWTH = 1.25;

await using world = await startWorld({ tokenTtl: '5m' });
await using stage = await createStage();
const names = await putSecrets(world, SECRETS);
const work: Work = { address: world.bao.address, tokenFile: world.tokenFile, dir: stage.dir, secrets: names };
const written = await writePannier(work, { refresh: `${REFRESH_S}s`, inOutput: IN_OUTPUT, socket: true });
const startedMs = performance.now();
const agent = await stage.pannier(written);
await agent.published(SECRETS);
console.log(`${SECRETS} secrets published after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);

const values = new Map<string, string>();
const looks: { residentMiB: number; files: number }[] = [];
const endMs = performance.now() + Number(options.minutes) * 60_000;
let allMs = performance.now() + ALL_EACH_MS / 2;
for (let round = 1; performance.now() < endMs; round++) {
  const isAll = performance.now() >= allMs;
  if (isAll) allMs += ALL_EACH_MS;
  const changed = isAll ? names : names.filter((_, at) => (at * 7919 + round) % 100 === 0);
  for (const name of changed) {
    const value = `round-${round}-${name}`;
    await world.putSecret(name, { username: 'shop', password: value });
    values.set(name, value);
  }
  const before = await cpuMs(agent.pid);
  await pause(LOOK_MS);
  const files = (await readdir(`/proc/${agent.pid}/fd`)).length;
  const look = { residentMiB: await residentMiB(agent.pid), files };
  looks.push(look);
  const cpu = ((await cpuMs(agent.pid)) - before) / (LOOK_MS / 1_000);
  const told = `changed ${changed.length}, resident ${look.residentMiB.toFixed(1)} MiB, ${cpu.toFixed(1)} ms/s, ${files} descriptors`;
  console.log(`round ${round}: ${told}`);
  await world.renewTokenFile();
}

// Every poll has come round once more, with its jitter.
await pause(REFRESH_S * 1_200);
const stale: string[] = [];
for (const [name, value] of values) {
  const output = `o${Math.floor(names.indexOf(name) / IN_OUTPUT)}`;
  const shown = await readFile(join(written.out, output, name), 'utf8').catch(() => 'nothing');
  if (shown !== value) stale.push(name);
}
const quarter = Math.floor(looks.length / 4);
const of = (key: 'residentMiB' | 'files', from: number, to: number) =>
  median(looks.slice(from, to).map((look) => look[key]));
const grown = of('residentMiB', 3 * quarter, looks.length) / of('residentMiB', quarter, 2 * quarter);
const leaked = of('files', 3 * quarter, looks.length) - of('files', quarter, 2 * quarter);
console.log(
  `${stale.length} files are stale; memory ${grown.toFixed(2)} x, descriptors ${leaked >= 0 ? '+' : ''}${leaked}`,
);
process.exitCode = stale.length > 0 || grown > GROWTH || leaked > 20 ? 1 : 0;
