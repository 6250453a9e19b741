import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true, tokenTtl: '9s', role: { token_type: 'batch' }, databaseTtl: '1h' });

describe('a login by a batch token, which caps the leases made under it', () => {
  it('brings one database user per login, each under its own login', async () => {
    const place = await scene.place();
    const config = await place.config({
      backends: { bao: baoOf(world()) },
      secrets: { db: { read: 'database/creds/shop' } },
      outputs: { shop: { dir: join(place.dir, 'out'), files: { user: { content: '{{db.username}}' } } } },
    });
    const agent = scene.run(config);
    await agent.waitFor('login-made', { count: 3, withinMs: 40_000 });
    await agent.waitFor('output-published', { count: 3 });
    const asked = (await world().bao.requests()).filter(({ path }) => path === 'database/creds/shop');
    expect([asked.length, agent.facts('login-made').length]).toEqual([3, 3]);
    expect(agent.facts('secret-state')).toEqual([]);
  });
});
