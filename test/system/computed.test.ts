import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../servers/index.ts';
import { type Agent, createPlace, eventually, type Place, runAgent, startAgent } from './agent.ts';

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

async function config(content: string, log = 'info'): Promise<string> {
  place = await createPlace();
  open.push(place);
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  return place.config({
    log: { level: log },
    backends: { bao: { kind: 'vault', address: world.bao.address, auth } },
    secrets: { index: { kv: 'secret/shop/index', refresh: '300ms' } },
    outputs: { o: { dir: join(place.dir, 'o'), files: { f: { content } } } },
  });
}

const published = () => readFileSync(join(place.dir, 'o/f'), 'utf8');

describe('computed paths on a real OpenBao', () => {
  it('init renders a list and everything in it, with one request each', async () => {
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

  it('a path that comes from a value follows it, and is told nowhere', async () => {
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

  it('a path with nothing at it ends init with the place in the template', async () => {
    const file = await config('{{#with (secret "secret/shop/nothing")}}x{{/with}}');
    const init = await runAgent(['init', '-c', file, '--timeout', '20s']);
    expect(init.status).toBe(1);
    expect(init.stderr()).toContain('content:1:');
    expect(init.stderr()).toContain('SECRET_NOT_FOUND');
  });
});
