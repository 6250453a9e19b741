import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './agent.helpers.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ openBao: { persist: true } });

beforeAll(() => world().putSecret('app', { password: 'one' }));

async function setUp(): Promise<{ dir: string; config: string }> {
  const place = await scene.place();
  const dir = join(place.dir, 'out');
  const config = await place.config({
    backends: { bao: { ...baoOf(world()), timeout: '500ms' } },
    secrets: { app: { kv: 'secret/shop/app', refresh: '200ms' } },
    outputs: { shop: { dir, files: { password: { content: '{{app.password}}' } } } },
  });
  return { dir, config };
}

describe('an outage of a real OpenBao', () => {
  it('at the start lets init end with 3 at its deadline, with the secrets and addresses that failed; run waits and recovers', async () => {
    const { bao, putSecret } = world();
    const { dir, config } = await setUp();
    expect((await scene.init(config)).status).toBe(0);
    await bao.kill();
    const init = await scene.init(config, '1s');
    expect([init.status, failuresOf(init)]).toEqual([
      3,
      [
        {
          code: 'BACKEND_UNREACHABLE',
          place: 'backends.bao.auth',
          seen: `connection refused at ${bao.address}; secrets that wait for it: app`,
          hint: 'Check the address, the network and the health of the backend.',
        },
      ],
    ]);
    const agent = scene.run(config);
    expect(await agent.waitFor('output-waiting')).toMatchObject({ missing: ['app'] });
    expect(published(dir)).toEqual({ password: 'one' });
    await bao.start();
    await putSecret('app', { password: 'two' });
    await agent.waitFor('output-published');
    expect(published(dir)).toEqual({ password: 'two' });
    for (const { retryInMs } of agent.facts('login-failed')) expect(retryInMs).toBeGreaterThanOrEqual(250);
  });

  it('by a kill and a new start leaves the files; the secret is stale, then fresh, under the same login', async () => {
    const { bao, putSecret } = world();
    await putSecret('app', { password: 'one' });
    const { dir, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await bao.kill();
    expect(await agent.waitFor('secret-state')).toMatchObject({ state: 'stale', reason: 'BACKEND_UNREACHABLE' });
    const failed = await agent.waitFor('secret-failed', { count: 2 });
    expect(failed).toMatchObject({ place: 'secrets.app.kv', seen: `connection refused at ${bao.address}` });
    expect(published(dir)).toEqual({ password: 'one' });
    await bao.start();
    expect(await agent.waitFor('secret-state', { count: 2 })).toMatchObject({ secrets: ['app'], state: 'fresh' });
    expect([agent.facts('output-published').length, agent.facts('login-made').length]).toEqual([1, 1]);
    await putSecret('app', { password: 'two' });
    await agent.waitFor('output-published', { count: 2 });
    expect(published(dir)).toEqual({ password: 'two' });
    for (const { retryInMs } of agent.facts('secret-failed')) expect(retryInMs).toBeGreaterThanOrEqual(250);
    expect(await agent.stop()).toBe(0);
  });

  it('by a suspension ends each request at its timeout; after it the next value is published', async () => {
    const { bao, putSecret } = world();
    await putSecret('app', { password: 'one' });
    const { dir, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    bao.suspend();
    try {
      expect(await agent.waitFor('secret-state')).toMatchObject({ state: 'stale', reason: 'BACKEND_TIMEOUT' });
      const failed = await agent.waitFor('secret-failed');
      expect(failed['seen']).toBe(`no whole answer within 500 ms from ${bao.address}`);
      expect(published(dir)).toEqual({ password: 'one' });
    } finally {
      bao.resume();
    }
    await putSecret('app', { password: 'two' });
    await agent.waitFor('output-published', { count: 2 });
    await eventually(() => expect(published(dir)).toEqual({ password: 'two' }));
  });
});
