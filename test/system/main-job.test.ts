import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { startWorld, type World, type WorldOptions } from '../servers/index.ts';
import {
  type Agent,
  createPlace,
  eventually,
  type LogLine,
  type Place,
  runAgent,
  startAgent,
} from './agent.helpers.ts';
import { type Application, startApplication } from './application.helpers.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function setUp(options: WorldOptions): Promise<{ world: World; place: Place; app: Application }> {
  const world = await startWorld(options);
  open.push(world);
  const place = await createPlace();
  open.push(place);
  const app = await startApplication(place.dir);
  open.push(app);
  return { world, place, app };
}

function keepRunning(config: string): Agent {
  const agent = startAgent(['run', '-c', config]);
  open.push({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
  return agent;
}

/** Reads all files after one look-up of `..data`, so that they are of one generation. */
function read(dir: string, file: string): string {
  return readFileSync(join(dir, file), 'utf8');
}

function backend(world: World): object {
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  return { bao: { kind: 'vault', address: world.bao.address, auth } };
}

describe('the main job on a real OpenBao, with a Kubernetes login', () => {
  it('init, then run: each kind of secret rotates into a new generation with exactly one reload', async () => {
    const { world, place, app } = await setUp({ database: true, databaseTtl: '4s', databaseMaxTtl: '8s' });
    const { bao } = world;
    await world.putSecret('app', { password: 'v2-one', rate: 1.5 });
    await bao.api('POST', 'kv1/legacy', { password: 'v1-one' });
    const reload = [{ signal: { name: 'SIGHUP', pidFile: app.pidFile } }];
    const config = (more: object) =>
      place.config({
        log: { level: 'debug' },
        backends: backend(world),
        secrets: {
          app: { kv: 'secret/shop/app', refresh: '500ms' },
          legacy: { kv: 'kv1/legacy', refresh: '500ms' },
          ...more,
        },
        outputs: {
          static: {
            dir: join(place.dir, 'static'),
            files: {
              'app.json': { format: 'json', from: ['app', 'legacy'] },
              'app.conf': { content: 'password = {{app.password}}\nlegacy = {{legacy.password}}\n' },
            },
            reload,
          },
          ...('db' in more
            ? { db: { dir: join(place.dir, 'db'), files: { '.env': { format: 'dotenv', from: 'db' } }, reload } }
            : {}),
          ...('tls' in more
            ? {
                tls: {
                  dir: join(place.dir, 'tls'),
                  files: {
                    'tls.crt': { content: '{{tls.certificate}}\n' },
                    'tls.key': { content: '{{tls.privateKey}}\n', mode: '0440' },
                  },
                  reload,
                },
              }
            : {}),
        },
      });

    const staticConfig = await config({});
    const first = await runAgent(['init', '-c', staticConfig]);
    expect([first.status, first.facts('output-published').length]).toEqual([0, 1]);
    expect(JSON.parse(read(place.dir, 'static/app.json'))).toEqual({
      app: { password: 'v2-one', rate: 1.5 },
      legacy: { password: 'v1-one' },
    });

    const agent = keepRunning(staticConfig);
    await agent.waitFor('output-unchanged');
    await pause(300);
    expect(app.reloads()).toBe(0);

    await world.putSecret('app', { password: 'v2-two', rate: 1.5 });
    await agent.waitFor('reload-done');
    expect(read(place.dir, 'static/app.conf')).toBe('password = v2-two\nlegacy = v1-one\n');

    await bao.api('POST', 'kv1/legacy', { password: 'v1-two' });
    await agent.waitFor('reload-done', { count: 2 });
    expect(read(place.dir, 'static/app.conf')).toBe('password = v2-two\nlegacy = v1-two\n');

    await Promise.all([
      world.putSecret('app', { password: 'v2-three', rate: 1.5 }),
      bao.api('POST', 'kv1/legacy', { password: 'v1-three' }),
    ]);
    await agent.waitFor('reload-done', { count: 3 });
    await pause(1_200);
    expect(read(place.dir, 'static/app.conf')).toBe('password = v2-three\nlegacy = v1-three\n');
    expect([agent.facts('output-published').length, app.reloads()]).toEqual([3, 3]);
    expect(await agent.stop()).toBe(0);

    // Each lease and certificate has an output of its own.
    const before = app.reloads();
    const leased = keepRunning(
      await config({
        db: { read: 'database/creds/shop' },
        tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc', ttl: '10s' } },
      }),
    );
    await leased.waitFor('output-published', { count: 2 });
    const of = (output: string) => (line: LogLine) => line['output'] === output;
    for (const round of [1, 2]) {
      await leased.waitFor('reload-done', { fits: of('db'), count: round });
      const { username = '', password = '' } = parseEnv(read(place.dir, 'db/.env'));
      expect(await world.postgres.canLogin(username, password)).toBe(true);
      await leased.waitFor('reload-done', { fits: of('tls'), count: round });
      const generation = readFileSync(join(place.dir, 'tls/..data/tls.crt'));
      const certificate = new X509Certificate(generation);
      const key = createPrivateKey(readFileSync(join(place.dir, 'tls/..data/tls.key')));
      expect(certificate.checkPrivateKey(key)).toBe(true);
      expect(certificate.validToDate.getTime()).toBeGreaterThan(Date.now());
    }
    const replaced = (output: string) => leased.facts('output-published').filter(of(output)).length - 1;
    await pause(200);
    expect(app.reloads() - before).toBe(replaced('db') + replaced('tls'));
    expect(leased.facts('secret-renewed').length).toBeGreaterThan(0);
    expect(leased.facts('secret-failed')).toEqual([]);
    expect(await leased.stop()).toBe(0);
  }, 90_000);

  it('with token_max_ttl 20 s and a database lease of 1 h the password in the file always logs in (60 s of checks)', async () => {
    const { world, place } = await setUp({ database: true, tokenTtl: '20s', tokenMaxTtl: '20s', databaseTtl: '1h' });
    const dir = join(place.dir, 'db');
    const config = await place.config({
      backends: backend(world),
      secrets: { db: { read: 'database/creds/shop' } },
      outputs: { db: { dir, files: { '.env': { format: 'dotenv', from: 'db' } } } },
    });
    const agent = keepRunning(config);
    await agent.waitFor('output-published');
    const users = new Set<string>();
    const refused: string[] = [];
    const end = performance.now() + 60_000;
    while (performance.now() < end) {
      const { username = '', password = '' } = parseEnv(read(dir, '.env'));
      users.add(username);
      if (!(await world.postgres.canLogin(username, password))) refused.push(username);
      await pause(100);
    }
    expect(refused).toEqual([]);
    expect(users.size).toBeGreaterThanOrEqual(4);
    expect(users.size).toBeLessThanOrEqual(7);
    await eventually(async () => expect(await agent.stop()).toBe(0));
  }, 120_000);
});
