/**
 * The proxy beside that of `bao agent`: KV reads a second over 16 connections of a unix socket, passed on to one
 * OpenBao and answered from the cache, in turns. `npm run bench:proxy`, with `-- --quick` for fewer and shorter turns.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { ensureOpenBao, startWorld, type World } from '../servers/index.ts';
import { machine, type Row, tell } from './report.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const TURNS = options.quick ? 3 : 9;
const TURN_MS = options.quick ? 1_000 : 3_000;
const CONNECTIONS = 16;
const PATH = '/v1/secret/data/shop/app';

/** A proxy that is asked, or the server itself. */
interface Asked {
  readonly name: string;
  readonly socket: string;
  /** Answers a second, a turn each. */
  readonly rates: number[];
  /** Its own processor time for an answer, in microseconds, a turn each: steadier than rates on a busy machine. */
  readonly costsUs: number[];
  readonly pid: number;
}

const started = machine();
const dir = await mkdtemp('/dev/shm/pannier-bench-');
const children: ChildProcess[] = [];
try {
  await using world = await startWorld({ openBao: { unix: true } });
  await world.putSecret('app', { username: 'shop', password: 'x'.repeat(24) });
  const [bao, forwarded, cached] = (await Promise.all([
    baoProxy(world),
    pannier(world, 'forwarded', {}),
    pannier(world, 'cached', { cache: { staticKv: { maxStale: '1h' } } }),
  ])) as [Asked, Asked, Asked];

  for (let turn = 0; turn <= TURNS; turn++) {
    for (const asked of [bao, forwarded, cached]) {
      const beforeMs = await processorMs(asked);
      const { answers, ms } = await measure(asked.socket, TURN_MS);
      if (turn === 0) continue;
      asked.rates.push((answers * 1_000) / ms);
      asked.costsUs.push((((await processorMs(asked)) - beforeMs) * 1_000) / answers);
    }
  }
  const rows: Row[] = [
    rate('reads passed on', bao, forwarded, 1),
    rate('reads from the cache', bao, cached, 10),
    cost('processor for one passed on', bao, forwarded),
    cost('processor for one from the cache', bao, cached),
    { work: 'resident after them', unit: 'MiB', baoAgent: await residentMiB(bao), pannier: await residentMiB(cached) },
  ];
  const how = `Medians of ${TURNS} turns of ${TURN_MS} ms over ${CONNECTIONS} connections of a unix socket.`;
  const details = [bao, forwarded, cached].map(({ name, rates, costsUs }) => ({ name, rates, costsUs }));
  await tell({ group: 'proxy', rows, how, quick: options.quick, details }, started);
} finally {
  for (const child of children) child.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
}

async function baoProxy(world: World): Promise<Asked> {
  const socket = join(dir, 'bao.sock');
  const config = join(dir, 'agent.hcl');
  await writeFile(
    config,
    `vault { address = "${world.bao.address}" }
auto_auth {
  method "kubernetes" {
    config = { role = "shop", token_path = "${world.tokenFile}" }
  }
}
api_proxy { use_auto_auth_token = true }
cache {}
listener "unix" {
  address = "${socket}"
  tls_disable = true
}
`,
  );
  return start('bao agent', socket, await ensureOpenBao(), ['agent', `-config=${config}`, '-log-level=warn']);
}

async function pannier(world: World, name: string, proxy: object): Promise<Asked> {
  const socket = join(dir, `${name}.sock`);
  const config = join(dir, `${name}.json`);
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  const text = {
    version: 1,
    log: { level: 'warn' },
    backends: { bao: { kind: 'vault', address: world.bao.address, auth } },
    proxy: { socket, useAutoAuthToken: true, ...proxy },
  };
  await writeFile(config, JSON.stringify(text));
  return start(`pannier, ${name}`, socket, process.execPath, [resolve('dist/pannier.js'), 'run', '-c', config]);
}

/** Resolves when it answers. */
async function start(name: string, socket: string, command: string, args: readonly string[]): Promise<Asked> {
  const log = openSync(join(dir, `${name}.log`), 'w');
  const child = spawn(command, args, { env: { HOME: dir }, stdio: ['ignore', log, log] });
  children.push(child);
  for (let tries = 0; ; tries++) {
    const isUp = await stat(socket)
      .then(() => measure(socket, 50))
      .then(({ answers }) => answers > 0)
      .catch(() => false);
    if (isUp) return { name, socket, rates: [], costsUs: [], pid: child.pid ?? 0 };
    if (tries === 100) throw new Error(`${name} does not answer:\n${await readFile(join(dir, `${name}.log`), 'utf8')}`);
    await new Promise((again) => setTimeout(again, 100));
  }
}

/** Asked for by a process of its own. */
async function measure(socket: string, forMs: number): Promise<{ readonly answers: number; readonly ms: number }> {
  const load = [join(import.meta.dirname, 'load.ts'), socket, PATH, String(CONNECTIONS), String(forMs)];
  const { stdout } = await promisify(execFile)(process.execPath, load);
  return JSON.parse(stdout) as { answers: number; ms: number };
}

function rate(work: string, bao: Asked, ours: Asked, times: number): Row {
  return { work, unit: '/s', baoAgent: median(bao.rates), pannier: median(ours.rates), goal: { times } };
}

function cost(work: string, bao: Asked, ours: Asked): Row {
  return { work, unit: 'us', baoAgent: median(bao.costsUs), pannier: median(ours.costsUs) };
}

/** User and system time so far, in ticks of 10 ms (proc(5)). */
async function processorMs({ pid }: Asked): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

async function residentMiB({ pid }: Asked): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
