import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Script } from 'node:vm';
import { bytecodeFile, distFolder, loadMain } from '../src/cli/load-main.ts';
import { undoTuning } from '../src/cli/sparing.ts';

/**
 * `bytecode.ts DIST BUILD COMMAND`: runs the built `pannier init`, or `run` until its API answers, in here against a
 * server that knows four answers, and keeps what V8 compiled on the way, of each script that has no bytecode yet. So
 * the bytecode holds the functions of an ordinary start and no others. Which functions these are does not depend on how
 * fast it runs, so that two builds give the same bytecode; renumber.cjs does the rest.
 */
const [dist = 'dist', build = '', command = 'init'] = process.argv.slice(2);

const ANSWERS: Readonly<Record<string, object>> = {
  '/v1/auth/kubernetes/login': { auth: { client_token: 'made-up', lease_duration: 3600, renewable: true } },
  '/v1/sys/internal/ui/mounts/secret/shop/app': { data: { path: 'secret/', type: 'kv', options: { version: '2' } } },
  '/v1/secret/data/shop/app': {
    data: {
      data: { user: 'shop', password: 'made-up' },
      metadata: { version: 1, created_time: '2026-01-01T00:00:00Z' },
    },
  },
  '/v1/database/creds/shop': { lease_id: 'l', lease_duration: 3600, renewable: true, data: { username: 'shop' } },
};

/** Resolved when the API of `run` has answered: secrets come after that, whatever is faster. */
const listening = Promise.withResolvers<void>();
if (command !== 'run') listening.resolve();

const server = createServer(async ({ url = '' }, response) => {
  await listening.promise;
  const answer = ANSWERS[url];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? { errors: [] }));
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

// In memory as in a pod, since a folder on a disk is warned of: what is made for warnings is not of an ordinary start.
const memory = '/dev/shm';
const home = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'pannier-build-'));
mkdirSync(join(home, 'out'), { mode: 0o700 });
mkdirSync(join(home, 'etc')); // alone, since the agent watches what happens beside its configuration
writeFileSync(join(home, 'token'), 'made-up');
const socket = join(home, 'api.sock');
const listeners = { api: { socket }, proxy: { socket: join(home, 'proxy.sock'), backend: 'bao' } };
const config = join(home, 'etc/pannier.json');
writeFileSync(
  config,
  JSON.stringify({
    version: 1,
    ...(command === 'run' ? listeners : {}),
    backends: {
      bao: { kind: 'vault', address, auth: { method: 'kubernetes', role: 'shop', tokenFile: join(home, 'token') } },
    },
    secrets: { app: { kv: 'secret/shop/app' }, db: { read: 'database/creds/shop' } },
    outputs: {
      shop: {
        dir: join(home, 'out'),
        files: {
          'app.env': { format: 'dotenv', from: ['app', 'db'] },
          'app.json': { format: 'json', from: ['app'] },
          'app.txt': { content: 'user={{app.user}}' },
          'app.conf': { content: '{{#if app.user}}{{app.user}}:{{upper app.password}}{{/if}}' },
        },
      },
    },
  }),
);

// A file that was written as it was read is read again, in case that there was a change between the two.
utimesSync(config, 1, 1);

const folder = resolve(dist);
const compiled = new Map<string, Script>();
process.on('exit', (status) => {
  rmSync(home, { recursive: true });
  if (status !== 0) return;
  undoTuning(); // V8 refuses bytecode that was made under other flags than those of this process
  for (const [name, script] of compiled) {
    const file = bytecodeFile(folder, name, build);
    if (!existsSync(file)) writeFileSync(file, script.createCachedData());
  }
});
const onCompile = (name: string, script: Script) => compiled.set(name, script);
const { main } = loadMain({ ...distFolder(folder, build), onCompile });
if (command === 'run') {
  setTimeout(() => process.exit(1), 10_000).unref();
  void useApi();
}
await main(command === 'run' ? ['run', '-c', config] : ['init', '-c', config, '--timeout', '10s']);

/** Asks the API before there is a secret, and again when the start is over, and ends the agent in here. */
async function useApi(): Promise<void> {
  while ((await askApi()) === undefined) await sleep(20);
  listening.resolve();
  while (!existsSync(join(home, 'out/..statement'))) await sleep(20);
  await quiet(5);
  // The watch of the output may or may not have seen the last file of the publication; it does see this one.
  writeFileSync(join(home, 'out/other'), '');
  await quiet(15);
  const status = await askApi();
  if (status !== 200) throw new Error(`the API answered ${status}`);
  process.kill(process.pid, 'SIGTERM');
}

/**
 * Waits until V8 has compiled no other function for some tenths of a second. After the start, watches of files begin,
 * and what a watch was told of is looked at after a second at the latest.
 */
async function quiet(tenths: number): Promise<void> {
  const size = () => [...compiled.values()].reduce((sum, script) => sum + script.createCachedData().length, 0);
  let before = size();
  for (let same = 0; same < tenths; ) {
    await sleep(100);
    const now = size();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

/** The status of the answer; undefined when nothing listens. */
function askApi(): Promise<number | undefined> {
  return new Promise((resolved) => {
    get({ socketPath: socket, path: '/v1/secrets/app' }, (response) => {
      response.resume();
      response.once('end', () => resolved(response.statusCode));
    }).once('error', () => resolved(undefined));
  });
}
