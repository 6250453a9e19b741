import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../servers/index.ts';
import { type Agent, createPlace, eventually, type Place, runAgent, startAgent } from './agent.helpers.ts';
import { get } from './observe.helpers.ts';

const open: AsyncDisposable[] = [];
let world: World;
let place: Place;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function config(content: string, log = 'info', [admin, api]: string[] = []): Promise<string> {
  place = await createPlace();
  open.push(place);
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  return place.config({
    log: { level: log },
    backends: { bao: { kind: 'vault', address: world.bao.address, auth } },
    secrets: { index: { kv: 'secret/shop/index', refresh: '300ms' } },
    outputs: { o: { dir: join(place.dir, 'o'), files: { f: { content } } } },
    ...(admin === undefined ? {} : { admin: { socket: join(place.dir, admin) } }),
    ...(api === undefined ? {} : { api: { socket: join(place.dir, api) } }),
  });
}

const published = () => readFileSync(join(place.dir, 'o/f'), 'utf8');

describe('computed paths on a real OpenBao', () => {
  it('init renders a list and all its secrets, with one request each', async () => {
    for (const name of ['a', 'b']) await world.putSecret(`many/${name}`, { password: `of ${name}` });
    const file = await config(
      '{{#each (secrets "secret/shop/many") as |name|}}{{name}}: {{#with (secret "secret/shop/many/" name)}}{{password}}{{/with}}\n{{/each}}',
    );
    const before = (await world.bao.requests()).length;
    const init = await runAgent(['init', '-c', file]);
    expect([init.status, published()]).toEqual([0, 'a: of a\nb: of b\n']);
    const asked = (await world.bao.requests()).slice(before).map(({ operation, path }) => `${operation} ${path}`);
    expect(asked.filter((one) => one.startsWith('read secret/')).sort()).toEqual([
      'read secret/data/shop/many/a',
      'read secret/data/shop/many/b',
    ]);
    expect(asked.filter((one) => one.startsWith('list '))).toHaveLength(1);
  });

  it("the page's own example skips folders and deleted secrets, and follows deletions and restorations", async () => {
    const { bao } = world;
    const page = readFileSync('docs/templates.md', 'utf8');
    const example = /## Computed paths[\s\S]*?```handlebars\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(example).toContain('refresh="30s"');
    for (const name of ['alice', 'bob', 'carol', 'team/dora'])
      await world.putSecret(`users/${name}`, { password: name });
    await world.putSecret('index', { current: 'one' });
    await bao.api('DELETE', 'secret/data/shop/users/carol');
    const file = await config(example.replaceAll('"30s"', '"1s"'), 'debug', ['admin.sock', 'api.sock']);
    const init = await runAgent(['init', '-c', file]);
    expect([init.status, published()]).toEqual([0, 'alice:alice\nbob:bob\n']);

    const agent = startAgent(['run', '-c', file]);
    open.push({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
    await bao.api('DELETE', 'secret/data/shop/users/bob');
    await eventually(() => expect(published()).toBe('alice:alice\n'));
    await eventually(() => expect(agent.facts('secret-absent').length).toBeGreaterThan(6));
    const absences = agent.facts('secret-absent').filter(({ level }) => level !== 'debug');
    expect(absences).toHaveLength(2);
    expect(agent.facts('secret-failed')).toEqual([]);

    const api = join(place.dir, 'api.sock');
    const { secrets } = JSON.parse((await get(api, '/v1/status')).body);
    const computed = secrets.filter((one: { computed?: object }) => one.computed !== undefined);
    expect(computed.map(({ state }: { state: string }) => state).sort()).toEqual([
      'absent',
      'absent',
      'fresh',
      'fresh',
    ]);
    expect(computed[0]).toMatchObject({
      name: 'secrets bao secret/shop/users',
      backend: 'bao',
      kind: 'vault-list',
      computed: { place: expect.stringContaining('content:1:'), outputs: ['o'] },
      nextAt: expect.any(String),
    });
    expect(JSON.parse((await get(api, '/v1/secrets')).body).secrets).toHaveLength(secrets.length);
    const listed = `/v1/secrets/${encodeURIComponent(computed[0].name)}`;
    expect((await get(api, `${listed}/refresh`, {}, 'POST')).status).toBe(200);
    expect((await get(api, listed)).status).toBe(404);
    const { body } = await get(join(place.dir, 'admin.sock'), '/metrics');
    expect(body).toContain('pannier_secrets_computed{output="o",state="fresh"} 2');
    expect(body).toContain('pannier_secrets_computed{output="o",state="absent"} 2');

    await bao.api('POST', 'secret/undelete/shop/users/carol', { versions: [1] });
    await eventually(() => expect(published()).toBe('alice:alice\ncarol:carol\n'));
  });

  it('a path that comes from a value changes with it, and is shown nowhere', async () => {
    await world.putSecret('one', { password: 'first' });
    await world.putSecret('c4n4ry', { password: 'second' });
    await world.putSecret('index', { current: 'one' });
    const file = await config('{{#with (secret "secret/shop/" index.current)}}{{password}}{{/with}}', 'trace');
    const agent: Agent = startAgent(['run', '-c', file]);
    open.push({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
    await agent.waitFor('output-published');
    expect(published()).toBe('first');
    await world.putSecret('index', { current: 'c4n4ry' });
    await eventually(() => expect(published()).toBe('second'));
    await agent.waitFor('secret-dropped');
    expect(agent.output()).not.toContain('c4n4ry');
    expect(agent.output()).toContain('(computed path)');
  });

  it('a path without a secret ends init with the place in the template', async () => {
    const file = await config('{{#with (secret "secret/shop/nothing")}}x{{/with}}');
    const init = await runAgent(['init', '-c', file, '--timeout', '20s']);
    expect(init.status).toBe(1);
    expect(init.stderr()).toContain('content:1:');
    expect(init.stderr()).toContain('(secret "secret/shop/nothing") finds nothing');
    expect(init.stderr()).toContain('SECRET_NOT_FOUND');
  });
});
