import { spawnSync } from 'node:child_process';
import { appendFile, readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from './agent.helpers.ts';
import { outputsOf, writePassword } from './file-backend.helpers.ts';
import { get, health, problemsOf, scrape } from './observe.helpers.ts';
import { failuresOf, published, useScene } from './openbao.helpers.ts';

const scene = useScene();

async function setUp(more: object = {}, sections: object = {}) {
  const place = await scene.place();
  await writePassword(place, 'one');
  const dir = join(place.dir, 'out');
  const config = await place.config({ ...outputsOf(place.dir, { out: more }), ...sections });
  return { place, dir, config };
}

describe('published files that another process has changed', () => {
  it('with sed -i are put right, by run and by init', async () => {
    const { dir, config } = await setUp();
    const edit = () => expect(spawnSync('sed', ['-i', 's/one/two/', join(dir, 'password')]).status).toBe(0);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    edit();
    expect(await agent.waitFor('output-drifted')).toMatchObject({
      level: 'warn',
      output: 'out',
      code: 'OUTPUT_DRIFTED',
      seen: 'password is no link any more',
    });
    await agent.waitFor('output-published', { count: 2 });
    expect(published(dir)).toEqual({ password: 'one' });
    expect(await agent.stop()).toBe(0);
    edit();
    expect((await scene.init(config)).status).toBe(0);
    expect(published(dir)).toEqual({ password: 'one' });
  });

  it('with drift: report are shown by readyz, metrics and status until they are right again', async () => {
    const api = { socket: './api.sock' };
    const { place, dir, config } = await setUp({ drift: 'report' }, { api, admin: { socket: './admin.sock' } });
    const [socket, status] = [join(place.dir, 'admin.sock'), join(place.dir, 'api.sock')];
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const metricOf = async (name: string) =>
      (await scrape(socket)).find((family) => family.name === name)?.samples[0]?.value;
    await eventually(async () => expect((await health(socket, 'readyz')).status).toBe(200));
    expect(await metricOf('pannier_output_drifted')).toBe(0);
    await appendFile(join(dir, 'password'), 'more');
    await agent.waitFor('output-drifted');
    const ready = await health(socket, 'readyz');
    expect([ready.status, problemsOf(ready)]).toEqual([503, ['OUTPUT_DRIFTED outputs.out']]);
    expect(await metricOf('pannier_output_drifted')).toBe(1);
    const { outputs } = JSON.parse((await get(status, '/v1/status')).body);
    expect(outputs).toMatchObject([{ state: 'settled', generation: 1, drift: { code: 'OUTPUT_DRIFTED' } }]);
    expect(await readFile(join(dir, 'password'), 'utf8')).toBe('onemore');
    await truncate(join(dir, 'password'), 3);
    await agent.waitFor('output-drift-over');
    expect((await health(socket, 'readyz')).status).toBe(200);
    expect(agent.facts('output-published')).toHaveLength(1);
  });
});

describe('a second agent in the directory of an output', () => {
  it('is refused with status 1, be it run, exec or init, and told who the first one is', async () => {
    const { dir, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const others = [scene.run(config), scene.exec(config, ['true']), scene.startInit(config)];
    for (const other of others) {
      expect(await other.ended).toBe(1);
      const [refused] = failuresOf(other);
      expect(refused).toMatchObject({ code: 'OUTPUT_IN_USE', place: 'outputs.out' });
      expect(refused?.seen).toMatch(
        new RegExp(`^another agent owns ${dir}: pid ${agent.pid}, since \\d{4}-\\S+Z, configuration ${config}$`),
      );
    }
    expect(await agent.stop()).toBe(0);
    const names = (await readdir(dir)).filter((name) => name !== '..statement'); // written when nothing else is due
    expect(names.sort()).toEqual(['..data', '..g1', '..reloaded', 'password']);
  });

  it('takes it over at once from one that was killed, and init hands it over to run', async () => {
    const { place, dir, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    agent.kill('SIGKILL');
    await agent.ended;
    expect(await readdir(dir)).toContain('..owner');
    expect((await scene.init(config)).status).toBe(0);
    const next = scene.run(config);
    await next.waitFor('output-unchanged');
    await writePassword(place, 'two');
    await next.waitFor('output-published');
    expect((await scene.init(config)).status).toBe(1);
  });

  it('waits for it when a new configuration names it, and publishes when the first one is gone', async () => {
    const { place, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const second = await place.config(outputsOf(place.dir, { own: {} }), 'second.json');
    const other = scene.run(second);
    await other.waitFor('output-published');
    await place.config(outputsOf(place.dir, { own: {}, out: {} }), 'second.json');
    const failed = await other.waitFor('output-failed');
    expect(failed).toMatchObject({ code: 'OUTPUT_IN_USE', output: 'out' });
    expect(await agent.stop()).toBe(0);
    await other.waitFor('output-unchanged', { fits: ({ output }) => output === 'out' });
  });

  it('works without the state of the first one', async () => {
    const state = { state: { path: './state' } };
    const { place, config } = await setUp({}, state);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const second = await place.config({ ...outputsOf(place.dir, { own: {} }), ...state }, 'second.json');
    const other = scene.run(second);
    await other.waitFor('output-published');
    expect(other.facts('agent-warning').map(({ code }) => code)).toContain('STATE_IN_USE');
  });
});
