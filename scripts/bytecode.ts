import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Script } from 'node:vm';
import { bytecodeFile, distFolder, loadMain } from '../src/cli/load-main.ts';
import { undoTuning } from '../src/cli/sparing.ts';

/**
 * `bytecode.ts DIST BUILD COMMAND`: runs the built `pannier init`, or `run` until its API answers, in here against a
 * server that knows four answers, and keeps what V8 compiled on the way, of each script that has no bytecode yet. So
 * the bytecode holds the functions of an ordinary start and no others.
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

const server = createServer(({ url = '' }, response) => {
  const answer = ANSWERS[url];
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? { errors: [] }));
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

// In memory as in a pod, since a folder on a disk is warned of: what is made for warnings is not of an ordinary start.
const memory = '/dev/shm';
const home = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'pannier-build-'));
mkdirSync(join(home, 'out'), { mode: 0o700 });
writeFileSync(join(home, 'token'), 'made-up');
const socket = join(home, 'api.sock');
const listening = { api: { socket }, proxy: { socket: join(home, 'proxy.sock'), backend: 'bao' } };
const config = join(home, 'pannier.json');
writeFileSync(
  config,
  JSON.stringify({
    version: 1,
    ...(command === 'run' ? listening : {}),
    backends: { bao: { kind: 'vault', address, auth: { method: 'kubernetes', role: 'shop', tokenFile: './token' } } },
    secrets: { app: { kv: 'secret/shop/app' }, db: { read: 'database/creds/shop' } },
    outputs: {
      shop: {
        dir: './out',
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

const folder = resolve(dist);
const compiled = new Map<string, Script>();
process.on('exit', (status) => {
  rmSync(home, { recursive: true });
  if (status !== 0) return;
  undoTuning(); // V8 refuses bytecode that was made under other flags than those that it starts with
  for (const [name, script] of compiled) {
    const file = bytecodeFile(folder, name, build);
    if (!existsSync(file)) writeFileSync(file, script.createCachedData());
  }
});
const onCompile = (name: string, script: Script) => compiled.set(name, script);
const { main } = loadMain({ ...distFolder(folder, build), onCompile });
if (command === 'run') {
  setTimeout(() => process.exit(1), 10_000).unref();
  askApi();
}
await main(command === 'run' ? ['run', '-c', config] : ['init', '-c', config, '--timeout', '10s']);

/** Asks until there is an answer, and then ends the agent in here. */
function askApi(): void {
  const again = () => setTimeout(askApi, 50);
  get({ socketPath: socket, path: '/v1/secrets/app' }, (response) => {
    response.resume();
    if (response.statusCode === 200) process.kill(process.pid, 'SIGTERM');
    else again();
  }).once('error', again);
}
