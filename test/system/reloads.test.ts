import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reply, startFaultServer } from '../faults/fault-server.ts';
import { published, useScene } from './scene.ts';

const scene = useScene();
const CANARY = 'c4n4ry';

/** A place with a file backend whose `app` a test can change, and an output with these reloads. */
async function setUp(reload: readonly object[]) {
  const place = await scene.place();
  const put = (fields: object) => writeFileSync(join(place.dir, 'secrets.json'), JSON.stringify({ app: fields }));
  put({ password: 'one', token: `${CANARY}-1` });
  const dir = join(place.dir, 'o');
  const config = await place.config({
    log: { level: 'debug', format: 'json' },
    backends: { demo: { kind: 'file', path: './secrets.json' } },
    secrets: { app: { key: 'app' }, admin: { key: 'app' } },
    outputs: { o: { dir, files: { f: { content: '{{app.password}}' } }, reload } },
  });
  return { put, dir, config };
}

describe('a reload by HTTP', () => {
  it('is tried again until the application takes it; a new value alone of a header reloads nobody', async () => {
    await using server = await startFaultServer(reply(503, CANARY));
    const headers = { Authorization: 'Bearer {{admin.token}}' };
    const { put, dir, config } = await setUp([{ http: { url: `${server.address}/-/reload`, expect: [200], headers } }]);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    put({ password: 'two', token: `${CANARY}-2` });
    const failed = await agent.waitFor('reload-failed');
    expect(failed).toMatchObject({ code: 'RELOAD_HTTP_STATUS', seen: `HTTP 503 from ${server.address}`, step: 'http' });
    server.answer(reply(200, CANARY));
    await agent.waitFor('reload-done');
    expect(published(dir)).toEqual({ f: 'two' });
    expect(server.requests.at(-1)?.headers['authorization']).toBe(`Bearer ${CANARY}-2`);
    const before = server.requests.length;
    put({ password: 'two', token: `${CANARY}-3` });
    await agent.waitFor('output-unchanged');
    expect(server.requests).toHaveLength(before);
    expect(await agent.stop()).toBe(0);
    expect(agent.output()).not.toContain(CANARY);
  });
});
