import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually, type LogLine } from './agent.helpers.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

beforeAll(async () => {
  const { bao, putSecret } = world();
  for (const name of ['app', 'deleted', 'destroyed']) {
    await putSecret(name, { password: 'one' });
    await putSecret(name, { password: 'two' });
  }
  await bao.api('POST', 'secret/data/other/app', { data: { password: 'of others' } });
  await bao.api('DELETE', 'secret/data/shop/deleted');
  await bao.api('PUT', 'secret/destroy/shop/destroyed', { versions: [2] });
});

/** A configuration with an output per secret, which has the secret's name and the file `password`. */
function each(dir: string, secrets: Readonly<Record<string, object>>): object {
  const names = Object.keys(secrets);
  const output = (name: string) => ({
    dir: join(dir, name),
    files: { password: { content: `{{${name}.password}}` } },
  });
  return {
    backends: { bao: baoOf(world()) },
    secrets,
    outputs: Object.fromEntries(names.map((name) => [name, output(name)])),
  };
}

/** Paths of the agent's requests after the first `from`. */
async function requestsSince(from: number): Promise<string[]> {
  return (await world().bao.requests()).slice(from).map(({ path }) => path);
}

const count = async () => (await world().bao.requests()).length;

const MIXED = {
  good: { kv: 'secret/shop/app' },
  pinned: { kv: 'secret/shop/app', version: 1 },
  denied: { kv: 'secret/other/app' },
  absent: { kv: 'secret/shop/nothing' },
  deleted: { kv: 'secret/shop/deleted' },
  destroyed: { kv: 'secret/shop/destroyed' },
  tls: { kv: 'pki/issue/shop' },
};

describe('a secret that cannot be fetched', () => {
  it('lets init report each reason at once, end with the most severe status, and publish the other outputs', async () => {
    const place = await scene.place();
    const agent = await scene.init(await place.config(each(place.dir, MIXED)), '1h');
    expect(agent.status).toBe(4);
    const failures = new Map(failuresOf(agent).map((failure) => [failure.place.split('.')[1], failure]));
    expect([...failures.keys()].sort()).toEqual(['absent', 'deleted', 'denied', 'destroyed', 'tls']);
    expect(failures.get('denied')).toMatchObject({
      code: 'SECRET_DENIED',
      hint: 'Add to a policy of the login: path "secret/data/other/app" { capabilities = ["read"] }',
    });
    expect(failures.get('denied')?.seen).toMatch(/^HTTP 403 from \S+ \(permission denied\) for GET /);
    expect(failures.get('absent')).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(failures.get('absent')?.hint).toMatch(/the secret does not: check the path, or write the secret/);
    expect(failures.get('deleted')).toMatchObject({ code: 'SECRET_DELETED', seen: 'version 2 is deleted' });
    expect(failures.get('destroyed')).toMatchObject({ code: 'SECRET_DESTROYED', seen: 'version 2 is destroyed' });
    expect(failures.get('tls')).toMatchObject({
      code: 'SECRET_NOT_KV',
      hint: 'Use read: pki/issue/shop for this secret.',
    });
    expect(published(join(place.dir, 'good'))).toEqual({ password: 'two' });
    expect(published(join(place.dir, 'pinned'))).toEqual({ password: 'one' });
    expect(published(join(place.dir, 'denied'))).toBeUndefined();
  });

  it('lets run go on with the others; a denied path is asked again with pauses and never causes a login', async () => {
    const place = await scene.place();
    const before = await count();
    const agent = scene.run(await place.config(each(place.dir, MIXED)));
    const ofDenied = ({ secrets }: LogLine) => String(secrets) === 'denied';
    await agent.waitFor('secret-failed', { fits: ofDenied, count: 4 });
    expect(agent.facts('output-published').map(({ output }) => output)).toEqual(
      expect.arrayContaining(['good', 'pinned']),
    );
    const waits = agent.facts('secret-failed').filter(ofDenied);
    for (const { retryInMs } of waits) expect(retryInMs).toBeGreaterThanOrEqual(250);
    const paths = await requestsSince(before);
    expect(paths.filter((path) => path === 'auth/kubernetes/login')).toHaveLength(1);
    expect(agent.facts('login-made')).toHaveLength(1);

    // A policy or secret that is written later is used without a restart.
    await world().putSecret('nothing', { password: 'now' });
    await agent.waitFor('output-published', { fits: ({ output }) => output === 'absent' });
    await world().bao.api('DELETE', 'secret/metadata/shop/nothing');
    expect(await agent.stop()).toBe(0);
  });

  it('since it was deleted: the files stay, the state is stale, and the next value is published', async () => {
    const { bao, putSecret } = world();
    await putSecret('fleeting', { password: 'here' });
    const place = await scene.place();
    const agent = scene.run(
      await place.config(each(place.dir, { fleeting: { kv: 'secret/shop/fleeting', refresh: '200ms' } })),
    );
    await agent.waitFor('output-published');
    await bao.api('DELETE', 'secret/data/shop/fleeting');
    expect(await agent.waitFor('secret-state')).toMatchObject({ state: 'stale', reason: 'deleted' });
    await bao.api('DELETE', 'secret/metadata/shop/fleeting');
    await agent.waitFor('secret-failed', { fits: ({ code }) => code === 'SECRET_NOT_FOUND' });
    expect(published(join(place.dir, 'fleeting'))).toEqual({ password: 'here' });
    await putSecret('fleeting', { password: 'again' });
    await agent.waitFor('output-published', { count: 2 });
    expect(published(join(place.dir, 'fleeting'))).toEqual({ password: 'again' });
  });

  it('holds nothing up when it is optional, and is published when it is written', async () => {
    const place = await scene.place();
    const dir = join(place.dir, 'out');
    const content = '{{app.password}}{{#if extra.key}} and {{extra.key}}{{/if}}';
    const config = await place.config({
      backends: { bao: baoOf(world()) },
      secrets: {
        app: { kv: 'secret/shop/app' },
        extra: { kv: 'secret/shop/extra', optional: true, refresh: '300ms' },
      },
      outputs: { shop: { dir, files: { text: { content } } } },
    });
    const init = await scene.init(config, '1h');
    expect([init.status, published(dir)]).toEqual([0, { text: 'two' }]);
    const agent = scene.run(config);
    await agent.waitFor('secret-absent');
    await world().putSecret('extra', { key: 'more' });
    await agent.waitFor('output-published');
    expect(published(dir)).toEqual({ text: 'two and more' });
  });
});

describe('the requests to the backend', () => {
  it('make a new login at once after one was revoked, and nothing becomes stale', async () => {
    const { bao, putSecret } = world();
    await putSecret('kept', { password: 'one' });
    const place = await scene.place();
    const agent = scene.run(
      await place.config(each(place.dir, { kept: { kv: 'secret/shop/kept', refresh: '300ms' } })),
    );
    await agent.waitFor('output-published');
    const used = (await bao.requests()).findLast(({ path }) => path === 'secret/data/shop/kept');
    await bao.api('POST', 'auth/token/revoke-accessor', { accessor: used?.accessor });
    await putSecret('kept', { password: 'two' });
    expect(await agent.waitFor('login-replaced')).toMatchObject({ reason: 'dead' });
    await agent.waitFor('output-published', { count: 2 });
    expect(published(join(place.dir, 'kept'))).toEqual({ password: 'two' });
    expect([agent.facts('login-made').length, agent.facts('login-failed').length]).toEqual([2, 0]);
    expect(agent.facts('secret-state')).toEqual([]);
  });

  it('are one per secret, however many names, files and outputs use it', async () => {
    const place = await scene.place();
    const file = { content: '{{app.password}} {{same.password}}' };
    const outputs = Object.fromEntries(
      ['a', 'b', 'c'].map((name) => [name, { dir: join(place.dir, name), files: { one: file, two: file } }]),
    );
    const secrets = {
      app: { kv: 'secret/shop/app' },
      same: { kv: 'secret/shop/app' },
      unused: { kv: 'secret/shop/x' },
    };
    const before = await count();
    const agent = await scene.init(await place.config({ backends: { bao: baoOf(world()) }, secrets, outputs }));
    expect(agent.status).toBe(0);
    expect(published(join(place.dir, 'c'))).toEqual({ one: 'two two', two: 'two two' });
    const paths = await requestsSince(before);
    expect(paths.sort()).toEqual([
      'auth/kubernetes/login',
      'secret/data/shop/app',
      'sys/internal/ui/mounts/secret/shop/app',
    ]);
  });

  it('for 100 secrets at a start are 100 reads, one for the mount, one login, over at most 16 connections', async () => {
    const { bao, putSecret } = world();
    const names = Array.from({ length: 100 }, (_, index) => `many-${index}`);
    await Promise.all(names.map((name) => putSecret(name, { password: name })));
    const place = await scene.place();
    const files = Object.fromEntries(names.map((name) => [name, { content: `{{${name}.password}}` }]));
    const config = await place.config({
      backends: { bao: baoOf(world()) },
      secrets: Object.fromEntries(names.map((name) => [name, { kv: `secret/shop/${name}`, refresh: '30d' }])),
      outputs: { a: { dir: join(place.dir, 'a'), files }, b: { dir: join(place.dir, 'b'), files } },
    });
    const before = await count();
    const agent = scene.run(config);
    await agent.waitFor('output-published', { count: 2 });
    expect(published(join(place.dir, 'b'))?.['many-99']).toBe('many-99');
    const requests = (await bao.requests()).slice(before);
    const kinds = Map.groupBy(requests, ({ path }) => path.split('/')[0]);
    expect([kinds.get('secret')?.length, kinds.get('sys')?.length, kinds.get('auth')?.length]).toEqual([100, 1, 1]);
    expect(requests).toHaveLength(102);
    expect(new Set(requests.map(({ remotePort }) => remotePort)).size).toBeLessThanOrEqual(16);
    await eventually(() => expect(agent.facts('secret-changed')).toHaveLength(100));
  });
});
