/**
 * `pannier init` with a state while the backend is away: wall time and processor time until everything is published.
 * `npm run bench:outage-start`, or `-- 5` for another number of turns.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startWorld } from '../servers/index.ts';
import { baoOf } from '../system/openbao.helpers.ts';
import { putSecrets } from './resident.ts';
import { startStopwatch, type Taken } from './stopwatch.ts';

const TURNS = Number(process.argv[2] ?? 9);
const dir = await mkdtemp('/dev/shm/pannier-bench-');
const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
try {
  await using world = await startWorld();
  using watch = startStopwatch();
  const names = await putSecrets(world, 1_000);
  const configs = new Map<number, string>();
  const initOf = (config: string) => ({
    argv: [process.execPath, resolve('dist/pannier.js'), 'init', '-c', config],
    env: { PATH: '/usr/bin:/bin' },
    log: join(dir, 'log'),
  });
  for (const count of [1, 1_000]) {
    const used = names.slice(0, count);
    const config = join(dir, `${count}.json`);
    const files = { 'all.json': { format: 'json', from: used } };
    const plain = {
      version: 1,
      backends: { bao: baoOf(world) },
      secrets: Object.fromEntries(used.map((name) => [name, { kv: `secret/shop/${name}` }])),
      outputs: { shop: { dir: join(dir, `out-${count}`), files } },
      state: { path: join(dir, `state-${count}`) },
    };
    await writeFile(config, JSON.stringify(plain));
    await watch.measure(initOf(config));
    configs.set(count, config);
  }
  console.log('| server | secrets | median, worst ms | processor ms |\n| --- | --- | --- | --- |');
  for (const server of ['silent', 'refuses'] as const) {
    if (server === 'silent') world.bao.suspend();
    else await world.bao.kill();
    for (const [count, config] of configs) {
      const taken: Taken[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        await rm(join(dir, `out-${count}`), { recursive: true });
        taken.push(await watch.measure(initOf(config)));
      }
      const wall = taken.map(({ wallMs }) => wallMs);
      const cpu = median(taken.map(({ cpuMs }) => cpuMs));
      console.log(
        `| ${server} | ${count} | ${median(wall).toFixed(0)}, ${Math.max(...wall).toFixed(0)} | ${cpu.toFixed(0)} |`,
      );
    }
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}
