import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, runAgent } from './agent.helpers.ts';
import { failuresOf, published, useScene } from './openbao.helpers.ts';

const scene = useScene();
const CANARY = 'c4n4ry';

/** An application that reads its file when it is told to, and is well while the file does not hold the word bad. */
async function startApplication(file: string) {
  let taken = '';
  let isHealed = false;
  const server = createServer((request, response) => {
    const isReload = request.url === '/reload';
    if (isReload) taken = (published(file)?.['f'] ?? '').toString();
    response.writeHead(!isReload && !isHealed && taken.includes('bad') ? 500 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => taken,
    heal: () => {
      isHealed = true;
    },
  };
}

async function setUp(more: object = {}) {
  const place = await scene.place();
  const put = (text: string) => writeFileSync(join(place.dir, 'secrets.json'), JSON.stringify({ app: { text } }));
  put(`${CANARY} 1`);
  const dir = join(place.dir, 'o');
  const socket = join(place.dir, 'api.sock');
  const app = await startApplication(dir);
  const config = await place.config({
    backends: { demo: { kind: 'file', path: './secrets.json' } },
    secrets: { app: { key: 'app' }, other: { key: 'app' } },
    outputs: {
      o: {
        dir,
        files: { f: { content: '{{app.text}}' } },
        reload: [{ http: { url: `${app.url}/reload` } }],
        verify: { http: { url: `${app.url}/healthz` }, within: '300ms' },
      },
    },
    api: { listeners: [{ socket }, { socket: join(place.dir, 'some.sock'), secrets: ['app'] }] },
    ...more,
  });
  const ask = (...args: string[]) => runAgent([...args, '--socket', socket]);
  return { place, put, dir, app, config, ask };
}

describe('an output whose application is asked after each reload', () => {
  it('goes back to the values before, says so, and publishes what is held back when a person asks for it', async () => {
    const { put, dir, app, config, ask } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    put(`${CANARY} bad`);
    await agent.waitFor('reload-done', { fits: ({ generation }) => generation === 3 });
    expect([published(dir), app.taken()]).toEqual([{ f: `${CANARY} 1` }, `${CANARY} 1`]);
    const status = await ask('status');
    expect(status.stdout()).toMatch(/settled, newer held back +3 .*HTTP 500 from .*\(OUTPUT_VERIFY_FAILED\)/);
    expect((await ask('probe', 'ready')).status).toBe(0);

    const again = await ask('resume', 'o');
    expect([again.status, failuresOf(again)]).toMatchObject([
      1,
      [{ code: 'OUTPUT_VERIFY_FAILED', place: 'outputs.o.verify' }],
    ]);
    app.heal();
    const healed = await ask('resume', 'o');
    expect([healed.status, healed.stdout()]).toEqual([0, 'o: generation 6 is published\n']); // 4 was bad, 5 went back
    expect(published(dir)).toEqual({ f: `${CANARY} bad` });
    put(`${CANARY} 2`);
    await agent.waitFor('reload-done', { fits: ({ generation }) => generation === 7 });
    expect((await ask('status')).stdout()).not.toContain('held back');
    expect(await agent.stop()).toBe(0);
    expect(agent.output() + status.output()).not.toContain(CANARY);
  });

  it('goes back to any generation that it keeps, and lists those', async () => {
    const { put, dir, config, ask, place } = await setUp();
    const text = JSON.parse(readFileSync(config, 'utf8'));
    text.outputs.o.keep = 3;
    const agent = scene.run(await place.config(text));
    await agent.waitFor('output-published');
    for (const number of [2, 3, 4, 5]) {
      put(`${CANARY} ${number}`);
      await agent.waitFor('reload-done', { fits: ({ generation }) => generation === number });
    }
    await eventually(async () => expect((await ask('status')).stdout()).toMatch(/settled +5, kept (1 )?2 3 4 /));
    const json = await ask('status', '--json');
    expect(JSON.parse(json.stdout()).outputs[0].kept).toEqual(expect.arrayContaining([2, 3, 4]));

    const back = await ask('rollback', 'o', '--to', '3');
    expect([back.status, back.stdout()]).toEqual([0, 'o: generation 6 is published\n']);
    expect(published(dir)).toEqual({ f: `${CANARY} 3` });
    expect((await ask('status')).stdout()).toContain('a client asked for generation 3 (OUTPUT_HELD)');
    const gone = failuresOf(await ask('rollback', 'o', '--to', '99'));
    expect(gone).toMatchObject([{ code: 'API_NO_PREVIOUS', seen: 'there is no generation 99 to go back to' }]);
    expect(gone[0]?.hint).toMatch(/Kept: (1, )?2, 3, 4/);
    expect(failuresOf(await ask('rollback', 'o', '--to', '3'))).toMatchObject([
      { code: 'API_NO_PREVIOUS', seen: 'generation 3 has the files that are published' },
    ]);
    expect((await ask('rollback', 'o', '--to', 'x')).stderr()).toContain('The number of a generation, such as 7.');
    put(`${CANARY} 6`);
    await agent.waitFor('reload-done', { fits: ({ generation }) => generation === 7 });
    expect(published(dir)).toEqual({ f: `${CANARY} 6` });
    expect(await agent.stop()).toBe(0);
    expect(agent.output() + json.output()).not.toContain(CANARY);
  });

  it('goes back when a person asks for it, and stays there until a value changes', async () => {
    const { put, dir, app, config, ask, place } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const none = await ask('rollback', 'o');
    expect([none.status, failuresOf(none)]).toMatchObject([1, [{ code: 'API_NO_PREVIOUS', place: 'outputs.o' }]]);
    put(`${CANARY} 2`);
    await agent.waitFor('reload-done');
    const back = await ask('rollback', 'o');
    expect([back.status, back.stdout()]).toEqual([0, 'o: generation 3 is published\n']);
    expect([published(dir), app.taken()]).toEqual([{ f: `${CANARY} 1` }, `${CANARY} 1`]);
    expect((await ask('status')).stdout()).toContain('a client asked for the generation before (OUTPUT_HELD)');
    expect(failuresOf(await ask('rollback', 'o'))).toMatchObject([{ code: 'API_NO_PREVIOUS' }]);
    expect(failuresOf(await ask('rollback', 'nope'))).toMatchObject([{ code: 'API_UNKNOWN_OUTPUT' }]);
    const some = await runAgent(['rollback', 'o', '--socket', join(place.dir, 'some.sock')]);
    expect(failuresOf(some)).toMatchObject([{ code: 'API_NOT_ALLOWED' }]);
    put(`${CANARY} 3`);
    await agent.waitFor('reload-done', { fits: ({ generation }) => generation === 4 });
    expect(published(dir)).toEqual({ f: `${CANARY} 3` });
    expect(failuresOf(await ask('resume', 'o'))).toMatchObject([{ code: 'API_NOT_HELD' }]);
    expect(await agent.stop()).toBe(0);
  });
});
