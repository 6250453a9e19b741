import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { shopPolicy } from '../servers/index.ts';
import { writePolicy } from '../servers/openbao-engines.ts';
import { type Agent, eventually, runAgent } from './agent.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
/** The server of the secrets, which also holds the key `own`. */
const world = useWorld({ database: true, openBao: { persist: true } });
/** A server that holds only the key `other`. */
const holder = useWorld({ openBao: { persist: true } });

const policyWith = (key: string) =>
  `${shopPolicy}\n${['encrypt', 'decrypt'].map((doing) => `path "transit/${doing}/${key}" { capabilities = ["update"] }`).join('\n')}`;

beforeAll(async () => {
  for (const { bao } of [world(), holder()]) await bao.api('POST', 'sys/mounts/transit', { type: 'transit' });
});

beforeEach(async () => {
  for (const [{ bao }, key] of [
    [world(), 'own'],
    [holder(), 'other'],
  ] as const) {
    await writePolicy(bao, 'shop', policyWith(key));
    await bao.api('POST', `transit/keys/${key}/config`, { deletion_allowed: true }).catch(() => undefined);
    await bao.api('DELETE', `transit/keys/${key}`).catch(() => undefined);
    await bao.api('POST', `transit/keys/${key}`, {});
  }
  await world().putSecret('app', { password: 'one' });
});

const tokens = async (at = world()) => {
  const { data } = await at.bao.api<{ keys: string[] }>('LIST', 'auth/token/accessors');
  return data.keys.length;
};

async function setUp(secrets: object, transit: object = { backend: 'bao', key: 'own' }) {
  const place = await scene.place();
  const dir = join(place.dir, 'out');
  const files = Object.fromEntries(Object.keys(secrets).map((name) => [name, { format: 'json', from: name }]));
  const backends = {
    bao: { ...baoOf(world()), timeout: '500ms' },
    ...('backend' in transit && transit.backend === 'holder'
      ? { holder: { ...baoOf(holder()), timeout: '500ms' } }
      : {}),
  };
  const plain = Object.fromEntries(Object.entries(secrets).map(([name, one]) => [name, { backend: 'bao', ...one }]));
  const config = await place.config({
    log: { level: 'debug' },
    backends,
    secrets: plain,
    outputs: { shop: { dir, files } },
    state: { path: join(place.dir, 'state'), transit },
  });
  return { place: place.dir, dir, config, file: join(place.dir, 'state/state') };
}

const read = (dir: string, name: string) => JSON.parse(published(dir)?.[name] ?? 'null') as Record<string, unknown>;
const forget = (dir: string) => rmSync(dir, { recursive: true, force: true });
const warnings = (agent: Agent) => agent.facts('agent-warning').map(({ code }) => code);
const APP = { app: { kv: 'secret/shop/app' } };

describe('a state whose key OpenBao keeps', () => {
  it('hands a lease and its login on, costs one login that is used on, and holds only ciphertext', async () => {
    const { dir, config, file } = await setUp({ ...APP, db: { read: 'database/creds/shop' } });
    const before = await tokens();
    const init = await scene.init(config);
    expect([init.status, warnings(init), init.facts('login-made').length]).toEqual([0, [], 1]);
    expect(await tokens()).toBe(before + 1);
    const user = read(dir, 'db')['username'];
    const agent = scene.run(config);
    await agent.waitFor('secret-kept');
    expect(agent.facts('login-resumed')).toHaveLength(1);
    expect(await agent.stop()).toBe(0);
    expect(read(dir, 'db')['username']).toBe(user);
    await eventually(async () => expect(await tokens()).toBe(before + 1));
    const bytes = readFileSync(file).toString('latin1');
    expect(bytes).toContain('vault:v1:');
    for (const text of ['password', 'hvs.', 'secret/shop']) expect(bytes).not.toContain(text);
  });

  it('is opened after its key was rotated', async () => {
    const { config } = await setUp({ db: { read: 'database/creds/shop' } });
    expect((await scene.init(config)).status).toBe(0);
    await world().bao.api('POST', 'transit/keys/own/rotate', {});
    const agent = scene.run(config);
    await agent.waitFor('secret-kept');
    expect(warnings(agent)).toEqual([]);
  });

  it('is set aside when its key was rotated away, and another one is kept under the newest version', async () => {
    const { bao } = world();
    const { place, config, file } = await setUp(APP);
    expect((await scene.init(config)).status).toBe(0);
    const old = readFileSync(file);
    await bao.api('POST', 'transit/keys/own/rotate', {});
    await bao.api('POST', 'transit/keys/own/config', { min_decryption_version: 2 });
    const init = await scene.init(config);
    expect([init.status, warnings(init)]).toEqual([0, ['STATE_UNREADABLE']]);
    expect(readFileSync(join(place, 'state/refused'))).toEqual(old);
    expect(readFileSync(file).toString('latin1')).toContain('vault:v2:');
    expect(warnings(await scene.init(config))).toEqual([]);
  });

  it('is left as it is when the key was deleted or the policy cut: the agent works without it and says why', async () => {
    const { bao } = world();
    const { dir, config, file } = await setUp(APP);
    expect((await scene.init(config)).status).toBe(0);
    const old = readFileSync(file);
    await writePolicy(bao, 'shop', shopPolicy);
    const cut = await scene.init(config);
    expect([cut.status, warnings(cut)]).toEqual([0, ['STATE_KEY']]);
    expect(cut.facts('agent-warning')[0]).toMatchObject({ seen: expect.stringContaining('HTTP 403') });
    await writePolicy(bao, 'shop', policyWith('own'));
    await bao.api('POST', 'transit/keys/own/config', { deletion_allowed: true });
    await bao.api('DELETE', 'transit/keys/own');
    forget(dir);
    const gone = await scene.init(config);
    expect([gone.status, warnings(gone)]).toEqual([0, ['STATE_KEY']]);
    expect(gone.facts('agent-warning')[0]).toMatchObject({
      hint: expect.stringContaining('If it was deleted, restore'),
    });
    expect(read(dir, 'app')).toEqual({ password: 'one' });
    expect(readFileSync(file)).toEqual(old);
  });

  it('is served during an outage of the secrets, as another server holds the key, whose login is revoked', async () => {
    const { bao } = world();
    const { dir, config } = await setUp(APP, { backend: 'holder', key: 'other' });
    const before = await tokens(holder());
    expect((await scene.init(config)).status).toBe(0);
    forget(dir);
    await bao.kill();
    try {
      const init = await scene.init(config);
      expect([init.status, warnings(init)]).toEqual([0, []]);
      expect(read(dir, 'app')).toEqual({ password: 'one' });
      await eventually(async () => expect(await tokens(holder())).toBe(before));
    } finally {
      await bao.start();
    }
  });

  it('is opened late when the server that holds the key was away at the start, and serves what is missing then', async () => {
    const [{ bao }, { bao: holding }] = [world(), holder()];
    const { dir, config } = await setUp(APP, { backend: 'holder', key: 'other' });
    expect((await scene.init(config)).status).toBe(0);
    forget(dir);
    await bao.kill();
    await holding.kill();
    const agent = scene.run(config);
    let isHolding = false;
    try {
      await agent.waitFor('agent-warning', { fits: ({ code }) => code === 'STATE_KEY' });
      await agent.waitFor('login-failed');
      expect(published(dir)).toBeUndefined();
      await holding.start();
      isHolding = true;
      await agent.waitFor('output-published', { withinMs: 40_000 });
      expect(read(dir, 'app')).toEqual({ password: 'one' });
      expect(agent.facts('secret-kept')).toHaveLength(1);
    } finally {
      if (!isHolding) await holding.start();
      await bao.start();
    }
    expect(await agent.stop()).toBe(0);
  }, 60_000);

  it('keeps a start that finds its server silent no longer than two seconds', async () => {
    const { bao: holding } = holder();
    const { config } = await setUp(APP, { backend: 'holder', key: 'other' });
    holding.suspend();
    try {
      const init = await scene.init(config);
      expect([init.status, warnings(init)]).toEqual([0, ['STATE_KEY']]);
    } finally {
      holding.resume();
    }
  });

  it('is looked at by doctor, and its lines are in the policy', async () => {
    const { config, file } = await setUp(APP);
    const look = async () => {
      const checks = JSON.parse((await runAgent(['doctor', '-c', config, '--json'])).stdout()) as {
        check: string;
        place: string;
        state: string;
        seen: string;
      }[];
      return checks.filter(({ check }) => check === 'state');
    };
    const before = await tokens();
    expect((await scene.init(config)).status).toBe(0);
    const good = await look();
    expect(good).toMatchObject([
      { place: 'state', state: 'ok' },
      { place: 'state.transit', state: 'ok', seen: expect.stringContaining('secrets: 1, logins: 1') },
    ]);
    expect(await tokens()).toBe(before + 1);
    const kept = readFileSync(file);
    writeFileSync(file, Buffer.concat([kept.subarray(0, 40), Buffer.from('x'), kept.subarray(41)]));
    expect((await look())[1]).toMatchObject({ state: 'warning' });
    await writePolicy(world().bao, 'shop', shopPolicy);
    expect((await look())[1]).toMatchObject({ state: 'failure', seen: expect.stringContaining('HTTP 403') });
    const { stdout } = await runAgent(['policy', '-c', config, '--backend', 'bao']);
    expect(stdout()).toContain('# state.transit\npath "transit/encrypt/own" { capabilities = ["update"] }');
    expect(stdout()).toContain('path "transit/decrypt/own" { capabilities = ["update"] }');
  });
});
