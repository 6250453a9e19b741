import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hangMissing, letHang } from '../fixtures/hanging-files.ts';
import { findFreePort } from '../servers/free-port.ts';
import { writePassword } from './file-backend.helpers.ts';
import { health } from './observe.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();

/** Every file that the agent reads and another user may replace, by its name in the place. */
const FILES: readonly [string, string][] = [
  ['the configuration', 'pannier.json'],
  ['a ${file:} of it', 'level'],
  ['a template', 'app.hbs'],
  ['a secretIdFile', 'secret-id'],
  ['a caFile', 'ca.pem'],
  ['a file of secrets', 'secrets.json'],
  ['the tokenFile of a listener', 'token'],
  ['a pidFile', 'app.pid'],
];

async function setUp() {
  const place = await scene.place();
  const { dir } = place;
  await writePassword(place, 'one');
  writeFileSync(join(dir, 'level'), 'debug');
  writeFileSync(join(dir, 'app.hbs'), '{{app.password}}');
  writeFileSync(join(dir, 'secret-id'), 'some-secret-id', { mode: 0o600 });
  writeFileSync(join(dir, 'ca.pem'), '');
  writeFileSync(join(dir, 'token'), 'x'.repeat(32), { mode: 0o600 });
  writeFileSync(join(dir, 'app.pid'), '2147483647');
  const config = await place.config({
    log: { level: '${file:./level}' },
    backends: {
      demo: { kind: 'file', path: './secrets.json' },
      bao: {
        kind: 'vault',
        address: 'https://127.0.0.1:9',
        tls: { caFile: './ca.pem' },
        auth: { method: 'approle', roleId: 'r', secretIdFile: './secret-id' },
      },
    },
    secrets: { app: { backend: 'demo', key: 'app' }, db: { backend: 'bao', read: 'database/creds/shop' } },
    outputs: {
      app: {
        dir: './app',
        files: { password: { template: './app.hbs' } },
        reloadOnFirst: true,
        reload: [{ signal: { name: 'SIGHUP', pidFile: './app.pid' } }],
      },
      db: { dir: './db', files: { user: { content: '{{db.username}}' } } },
    },
    api: {
      listeners: [{ socket: './api.sock' }, { listen: `127.0.0.1:${await findFreePort()}`, tokenFile: './token' }],
    },
  });
  return { dir, config };
}

/** Checks that health is answered and that a stop takes five seconds at most. */
async function holds(agent: ReturnType<typeof scene.run>, dir: string): Promise<void> {
  await sleep(500);
  for (let times = 0; times < 3; times++) {
    const askedMs = performance.now();
    expect((await health(join(dir, 'api.sock'), 'livez')).status).toBe(200);
    expect(performance.now() - askedMs).toBeLessThan(4_000);
  }
  const stoppedMs = performance.now();
  agent.kill('SIGTERM');
  expect([0, 143]).toContain(await agent.ended);
  expect(performance.now() - stoppedMs).toBeLessThan(15_000);
}

describe('a FIFO without a writer, in the place of', () => {
  it.each(FILES)('%s holds up neither health nor a stop', async (_, name) => {
    const { dir, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await agent.waitFor('reload-failed');
    spawnSync('mkfifo', [join(dir, 'fifo')]);
    renameSync(join(dir, 'fifo'), join(dir, name));
    agent.kill('SIGHUP');
    await holds(agent, dir);
  });
});

const hang = async (...paths: readonly string[]) => void scene.keep(await letHang(...paths));

describe.skipIf(hangMissing !== undefined)('a file system that hangs, with', () => {
  it.each(FILES)('%s on it, holds up neither health nor a stop', async (_, name) => {
    const { dir, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await agent.waitFor('reload-failed');
    await hang(join(dir, name));
    agent.kill('SIGHUP');
    await holds(agent, dir);
  });

  it('all of these on it, lets init end at its deadline', async () => {
    const { dir, config } = await setUp();
    await hang(join(dir, 'secret-id'), join(dir, 'ca.pem'), join(dir, 'app.pid'));
    const startedMs = performance.now();
    expect((await scene.init(config, '1s')).status).not.toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(25_000);
  });
});
