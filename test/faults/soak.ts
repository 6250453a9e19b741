/**
 * Half an hour of faults: `npm run soak`, with `-- --seconds 600` for less, `-- --seed N`
 * for the same faults again, and `-- --only 'reset,gzip bomb'` for some kinds of them.
 * A value changes each second behind a proxy that breaks in random ways; programs read files and the local API all the
 * time, an application is reloaded, and a database user is renewed.
 *
 * Stops by itself, and writes its figures to docs/reliability.json when it ran for ten minutes or more. Status 1 when
 * a reader saw what it must not see, a value was missed, memory grew, or descriptors leaked.
 */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuMs, residentMiB } from '../bench/proc.ts';
import { startWorld } from '../servers/index.ts';
import { createPlace, startAgent } from '../system/agent.helpers.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { writeFigures } from './figures.ts';
import { readApi, readFiles, readFilesOf, valueNumber } from './reader.ts';
import { type PlayedFault, playFaults, seeded } from './soak-faults.ts';
import { judgedValues, type Look, type Span, verdict } from './soak-verdict.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1800' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
  },
});
const SECONDS = Number(options.seconds);
/** Secrets beside the one that changes, polled each second. With it they are fewer than an agent's connections. */
const OTHERS = 12;
const LOOK_MS = 5_000;
const ROTATE_MS = 1_000;
/** A timer of the soak itself that comes this late says that the machine has no time for the agent either. */
const LATE_MS = 100;
const TICK_MS = 50;
/** What comes before figures are compared: V8 needs a while until its heap has its size. */
const WARM_MS = Math.min(180_000, SECONDS * 250);

await using world = await startWorld({ database: true, databaseTtl: '2m', databaseMaxTtl: '6m', tokenTtl: '5m' });
await using proxy = await startFaultProxy(world.bao.address);
await using place = await createPlace();
const others = Array.from({ length: OTHERS }, (_, at) => `other${at}`);
for (const name of others) await world.putSecret(name, { value: name });
let number = 0;
const written: { readonly n: number; readonly atMs: number }[] = [];
const rotate = async () => {
  await world.putSecret('app', { value: valueNumber(number + 1) });
  number++;
  written.push({ n: number, atMs: performance.now() });
};
await rotate();

let reloads = 0;
const application = createServer((_, response) => {
  reloads++;
  response.writeHead(204).end();
});
application.listen(0, '127.0.0.1');
await once(application, 'listening');
const reload = [{ http: { method: 'POST', url: `http://127.0.0.1:${(application.address() as AddressInfo).port}/` } }];

const socket = join(place.dir, 'api.sock');
const config = await place.config({
  backends: {
    bao: {
      kind: 'vault',
      address: proxy.address,
      timeout: '1s',
      auth: { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile },
    },
  },
  secrets: {
    app: { kv: 'secret/shop/app', refresh: '200ms' },
    db: { read: 'database/creds/shop' },
    ...Object.fromEntries(others.map((name) => [name, { kv: `secret/shop/${name}`, refresh: '1s' }])),
  },
  outputs: {
    shop: { dir: join(place.dir, 'shop'), quiet: '5ms', files: readFilesOf(), reload },
    db: { dir: join(place.dir, 'db'), files: { user: { content: '{{db.username}} {{db.password}}' } }, reload },
    others: {
      dir: join(place.dir, 'others'),
      files: { all: { content: others.map((name) => `{{${name}.value}}`).join('\n') } },
    },
  },
  api: { socket },
  log: { level: 'info' },
});
const agent = startAgent(['run', '-c', config]);
await agent.waitFor('output-published', { count: 3, withinMs: 60_000 });
const files = readFiles(join(place.dir, 'shop'), 4);
const apis = Array.from({ length: 4 }, () => readApi(socket, 20));

async function tell({ name, fromMs, toMs }: PlayedFault): Promise<void> {
  const rss = (await residentMiB(agent.pid)).toFixed(1);
  console.log(
    `${Math.round((toMs - startedMs) / 1_000)} s: ${name} for ${Math.round(toMs - fromMs)} ms, then ${rss} MiB`,
  );
}

const startedMs = performance.now();
const endMs = startedMs + SECONDS * 1_000;
console.log(`${SECONDS} s with seed ${options.seed}, agent ${agent.pid}`);
const faults = playFaults(proxy, {
  random: seeded(Number(options.seed)),
  untilMs: endMs - 20_000,
  only: options.only?.split(','),
  ended: (fault) => void tell(fault),
});
const starved: Span[] = [];
const watch = setInterval(() => {
  const nowMs = performance.now();
  if (nowMs - tickMs > TICK_MS + LATE_MS) starved.push({ fromMs: tickMs, toMs: nowMs });
  tickMs = nowMs;
}, TICK_MS);
let tickMs = performance.now();
const looks: Look[] = [];
let refusedUsers = 0;
const looking = (async () => {
  for (let cpu = await cpuMs(agent.pid); performance.now() < endMs; ) {
    await pause(LOOK_MS);
    const cpuNow = await cpuMs(agent.pid);
    const look = {
      atMs: performance.now() - startedMs,
      residentMiB: await residentMiB(agent.pid),
      descriptors: readdirSync(`/proc/${agent.pid}/fd`).length,
      cpuMsPerSecond: (cpuNow - cpu) / (LOOK_MS / 1_000),
    };
    cpu = cpuNow;
    looks.push(look);
    const [user = '', password = ''] = (await readFile(join(place.dir, 'db', 'user'), 'utf8')).split(' ');
    if (!(await world.postgres.canLogin(user, password))) refusedUsers++;
    if (looks.length % 6 === 0) {
      await world.renewTokenFile();
      const { residentMiB: rss, descriptors, cpuMsPerSecond } = look;
      console.log(
        `${Math.round(look.atMs / 1_000)} s: ${rss.toFixed(1)} MiB, ${descriptors} descriptors, ${cpuMsPerSecond.toFixed(0)} ms/s; ` +
          `value ${number}, files ${files.seen.last}, ${faults.played.length} faults, ${reloads} reloads, ${proxy.asked()} requests`,
      );
    }
  }
})();
for (let next = performance.now() + ROTATE_MS; performance.now() < endMs - 10_000; next += ROTATE_MS) {
  await pause(Math.max(0, next - performance.now()));
  await rotate();
}
await looking;
clearInterval(watch);
await faults.ended;

const stale = agent.facts('secret-state').filter(({ secrets }) => String(secrets) === 'app');
const times = stale.map((line) => ({ isFresh: line['state'] === 'fresh', atMs: agent.arrivedMs(line) }));
const judged = judgedValues(written, times, [...faults.played, ...starved]);
const missed = judged.filter((n) => ![files, ...apis].every((reader) => reader.saw(n)));
const users = (await world.postgres.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'")).length;
const result = verdict({
  seconds: SECONDS,
  warmMs: WARM_MS,
  looks,
  seen: [files, ...apis].map(({ seen }) => seen),
  last: number,
  judged: judged.length,
  missed,
  faults: faults.played,
  reloads,
  requests: proxy.asked(),
  refusedUsers,
  users,
  output: agent.output(),
});
for (const n of missed) {
  const { atMs = 0 } = written.find((one) => one.n === n) ?? {};
  const fault = faults.played.findLast(({ toMs }) => toMs <= atMs);
  const state = times.findLast((one) => one.atMs <= atMs);
  const since = (ms = startedMs) => `${Math.round(atMs - ms)} ms`;
  const seenBy = [files, ...apis].map((reader) => (reader.saw(n) ? 'seen' : 'missed'));
  console.log(
    `value ${n}: ${since()} after the start, ${since(fault?.toMs)} after ${fault?.name}, ` +
      `${since(state?.atMs)} after ${state?.isFresh ? 'fresh' : 'stale'}: ${seenBy}`,
  );
}
console.log(result.lines.join('\n'));
for (const { seen } of [files, ...apis]) for (const note of seen.notes) console.log(note);
if (SECONDS >= 600) await writeFigures({ soak: result.figures });
console.log(result.problems.length === 0 ? 'nothing was lost' : `PROBLEMS: ${result.problems.join('; ')}`);
process.exitCode = result.problems.length === 0 ? 0 : 1;
for (const reader of [files, ...apis]) await reader[Symbol.asyncDispose]();
await agent.stop();
application.close();
application.closeAllConnections();
