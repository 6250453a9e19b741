import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

async function setUp(more: object = {}, output: object = {}) {
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
        ...output,
      },
    },
    api: { listeners: [{ socket }, { socket: join(place.dir, 'some.sock'), secrets: ['app'] }] },
    ...more,
  });
  const ask = (...args: string[]) => runAgent([...args, '--socket', socket]);
  return { place, put, dir, app, config, ask };
}

describe('an output whose application is asked after each reload', () => {
  it('says why values are held back that came again after a check had refused others', async () => {
    const check = { command: { argv: ['sh', '-c', '! grep -q ugly "$1/f"', 'check', '{dir}'] } };
    const { put, dir, config, ask } = await setUp({}, { check });
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    put('bad');
    await agent.waitFor('reload-done', { fits: ({ generation }) => generation === 3 });
    put('ugly');
    await agent.waitFor('output-failed');
    expect((await ask('status')).stdout()).toContain('OUTPUT_CHECK_FAILED');
    put('bad');
    await eventually(async () => {
      expect((await ask('status')).stdout()).toMatch(/settled, newer held back +3 .*\(OUTPUT_VERIFY_FAILED\)/);
    });
    expect(published(dir)).toEqual({ f: `${CANARY} 1` });
    const back = await ask('rollback', 'o');
    expect(failuresOf(back)).toMatchObject([{ seen: expect.stringContaining('generation 2 is taken back already') }]);
  });

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

  it('does not go back to what another process has changed, by hand, by itself or after a restart', async () => {
    const { put, dir, config, ask, place } = await setUp();
    const text = JSON.parse(readFileSync(config, 'utf8'));
    text.outputs.o.keep = 3;
    text.outputs.o.drift = 'report';
    const changed = await place.config(text);
    const spoil = (generation: string, bytes: string) => {
      chmodSync(join(dir, generation, 'f'), 0o600);
      writeFileSync(join(dir, generation, 'f'), bytes);
    };
    const agent = scene.run(changed);
    await agent.waitFor('output-published');
    const next = async (value: string, generation: number) => {
      put(`${CANARY} ${value}`);
      await agent.waitFor('reload-done', { fits: (fact) => fact['generation'] === generation });
    };
    await next('2', 2);
    await next('3', 3);
    spoil('..g2', 'EVIL');
    const refused = failuresOf(await ask('rollback', 'o', '--to', '2'));
    expect(refused).toMatchObject([{ code: 'API_NO_PREVIOUS', seen: 'there is no generation 2 to go back to' }]);
    expect((await ask('rollback', 'o')).stdout()).toBe('o: generation 4 is published\n');
    expect(published(dir)).toEqual({ f: `${CANARY} 1` });

    await next('5', 5);
    rmSync(join(dir, '..g4/f'));
    symlinkSync('/etc/hostname', join(dir, '..g4/f'));
    put(`${CANARY} bad`); // 6, whose verification fails
    await agent.waitFor('reload-done', { fits: ({ generation }) => generation === 7 });
    expect(published(dir)).toEqual({ f: `${CANARY} 5` });

    agent.kill('SIGKILL');
    await agent.ended;
    spoil('..g7', 'EVIL');
    put(`${CANARY} 8`);
    const later = scene.run(changed);
    await later.waitFor('reload-done', { fits: ({ generation }) => generation === 8 });
    expect((await ask('rollback', 'o')).stdout()).toBe('o: generation 9 is published\n');
    expect(published(dir)).toEqual({ f: `${CANARY} 5` });
    expect(await later.stop()).toBe(0);
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
