import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlace, type Place } from '../system/agent.helpers.ts';

/** What is counted: numbers that a busy machine does not change, since none is a time. */
interface Counted {
  /** Of files in `dist`, as often as they are read. */
  readonly distBytes: number;
  /** Node's own. */
  readonly nodeModules: number;
  readonly turns: number;
}

const BYTES_IN_KIB = 1024;
const AT_REST_MS = 10_000;

/** How often ten seconds are looked at: in the first ones V8 still tidies up after the start. */
const LOOKS = 4;

const ANSWERS: Readonly<Record<string, object>> = {
  '/v1/auth/kubernetes/login': { auth: { client_token: 'made-up', lease_duration: 3600, renewable: true } },
  '/v1/sys/internal/ui/mounts/secret/shop/app': { data: { path: 'secret/', type: 'kv', options: { version: '2' } } },
  '/v1/secret/data/shop/app': {
    data: { data: { password: 'made-up' }, metadata: { version: 1, created_time: '2026-01-01T00:00:00Z' } },
  },
};

let asked: string[] = [];
const server = createServer(({ url = '' }, response) => {
  asked.push(url);
  const answer = ANSWERS[url];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? { errors: [] }));
});

let place: Place;
let budget: ReadonlyMap<string, number>;
beforeAll(async () => {
  place = await createPlace();
  budget = capsOf(await readFile('docs/decisions/0008-start-budget.md', 'utf8'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await mkdir(join(place.dir, 'out'), { mode: 0o700 });
  await writeFile(join(place.dir, 'token'), 'made-up');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await place[Symbol.asyncDispose]();
});

describe('the budget in docs/decisions/0008-start-budget.md', () => {
  it('is not exceeded by init with one secret', async () => {
    const config = await place.config(oneSecret());
    asked = [];
    const trace = join(place.dir, 'trace.json');
    const counted = await countWork(config, trace);
    expect(await readFile(join(place.dir, 'out/app.json'), 'utf8')).toContain('made-up');
    within('`init`: KiB read of the files in `dist`', counted.distBytes / BYTES_IN_KIB);
    within("`init`: Node's own modules loaded", counted.nodeModules);
    within('`init`: file system calls', await fileCalls(trace));
    within('`init`: turns of the event loop', counted.turns);
    within('`init`: requests', asked.length);
  });

  it('is not exceeded by run with API and proxy in ten seconds at rest', {
    timeout: 30_000 + LOOKS * AT_REST_MS,
  }, async () => {
    const config = await place.config({
      ...oneSecret(),
      api: { socket: './api.sock' },
      proxy: { socket: './proxy.sock', backend: 'bao' },
    });
    const agent = start(['run', '-c', config], []);
    const lines: string[] = [];
    agent.stderr?.setEncoding('utf8').on('data', (chunk: string) => lines.push(chunk));
    for (let tries = 0; !/"listening"[\s\S]*"listening"/.test(lines.join('')); tries++) {
      if (tries > 300 || agent.exitCode !== null) throw new Error(`does not listen:\n${lines.join('')}`);
      await pause(100);
    }
    const turns = async (): Promise<number> => {
      agent.send('turns');
      return ((await once(agent, 'message')) as [number])[0];
    };
    let fewest = { turns: Number.POSITIVE_INFINITY, requests: Number.POSITIVE_INFINITY };
    const isAtRest = () =>
      fewest.turns <= capOf('`run` at rest: turns of the event loop') &&
      fewest.requests <= capOf('`run` at rest: requests');
    for (let look = 0; look < LOOKS && !isAtRest(); look++) {
      asked = [];
      const before = await turns();
      await pause(AT_REST_MS);
      const now = (await turns()) - before;
      if (now < fewest.turns) fewest = { turns: now, requests: asked.length };
    }
    agent.kill('SIGTERM');
    await once(agent, 'exit');
    within('`run` at rest: turns of the event loop', fewest.turns);
    within('`run` at rest: requests', fewest.requests);
  });
});

function oneSecret(): object {
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: './token' };
  return {
    backends: { bao: { kind: 'vault', address, auth } },
    secrets: { app: { kv: 'secret/shop/app', refresh: '24h' } },
    outputs: { shop: { dir: './out', files: { 'app.json': { format: 'json', from: 'app' } } } },
  };
}

/** Runs `init` to its end. `trace` gets Node's trace of file system calls. */
async function countWork(config: string, trace: string): Promise<Counted> {
  const countedTo = join(place.dir, 'counted.json');
  const tracing = ['--trace-event-categories', 'node.fs.sync,node.fs.async', '--trace-event-file-pattern', trace];
  const init = start(['init', '-c', config], tracing, { COUNTED_TO: countedTo });
  init.stderr?.resume();
  expect(await once(init, 'exit')).toEqual([0, null]);
  return JSON.parse(await readFile(countedTo, 'utf8')) as Counted;
}

/**
 * Without COUNTED_TO it has an IPC channel, for which Node loads modules. Standard error is a pipe, as in a container:
 * what is a character device may be a terminal, which Node has a module to ask.
 */
function start(args: readonly string[], flags: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const isCounted = env['COUNTED_TO'] !== undefined;
  const counter = ['--require', resolve('test/ship/count-work.cjs')];
  return spawn(process.execPath, [...counter, ...flags, resolve('dist/pannier.js'), ...args], {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'ignore', 'pipe', ...(isCounted ? [] : ['ipc' as const])],
  });
}

/** How many calls a trace has, but for the `lstat` of each folder on the way to a script: that depends on the place. */
async function fileCalls(trace: string): Promise<number> {
  const { traceEvents } = JSON.parse(await readFile(trace, 'utf8')) as { traceEvents: { ph: string; name: string }[] };
  return traceEvents.filter(({ ph, name }) => /^b$/i.test(ph) && name !== 'fs.sync.lstat').length;
}

/** The rows of the page that have a number. */
function capsOf(page: string): ReadonlyMap<string, number> {
  const rows = page.matchAll(/^\| ((?:`init`|`run` at rest): [^|]+) \| (\d+) \|$/gm);
  return new Map([...rows].map(([, work, cap]) => [work ?? '', Number(cap)]));
}

function capOf(work: string): number {
  const cap = budget.get(work);
  if (cap === undefined) throw new Error(`docs/decisions/0008-start-budget.md has no cap for ${work}`);
  return cap;
}

function within(work: string, count: number): void {
  if (process.env['BUDGET_SHOWN'] !== undefined) process.stderr.write(`${work}: ${count}\n`);
  expect(count, work).toBeLessThanOrEqual(capOf(work));
}
