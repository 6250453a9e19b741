import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../servers/index.ts';
import { type Agent, createPlace, eventually, type Place, startAgent } from './agent.helpers.ts';
import { startApplication } from './application.helpers.ts';

const open: AsyncDisposable[] = [];
let world: World;
let place: Place;

beforeAll(async () => {
  world = await startWorld({ database: true });
  await world.putSecret('app', { password: 'one' });
  await world.putSecret('extra', { password: 'more' });
});
afterAll(() => world.stop());
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function newPlace(): Promise<Place> {
  place = await createPlace();
  open.push(place);
  return place;
}

function keepRunning(...args: string[]): Agent {
  const agent = startAgent(['run', ...args]);
  open.push({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
  return agent;
}

function backends() {
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  return { bao: { kind: 'vault', address: world.bao.address, auth } };
}

function output(content: string, more: object = {}) {
  return { o: { dir: join(place.dir, 'o'), files: { f: { content } }, ...more } };
}

const published = () => readFileSync(join(place.dir, 'o/f'), 'utf8');

describe('a new configuration while running', () => {
  it('a renamed secret and a new one cost no login and one fetch; the lease is kept', async () => {
    const { config } = await newPlace();
    const app = await startApplication(place.dir);
    open.push(app);
    const reload = [{ signal: { name: 'HUP', pidFile: app.pidFile } }];
    const file = await config({
      backends: backends(),
      secrets: { app: { kv: 'secret/shop/app' }, db: { read: 'database/creds/shop' } },
      outputs: output('{{app.password}} {{db.username}}', { reload }),
    });
    const agent = keepRunning('-c', file);
    await agent.waitFor('output-published');
    const user = published().split(' ')[1];
    const before = (await world.bao.requests()).length;
    await config({
      backends: backends(),
      secrets: {
        app: { kv: 'secret/shop/app' },
        database: { read: 'database/creds/shop' },
        extra: { kv: 'secret/shop/extra' },
      },
      outputs: output('{{app.password}} {{database.username}} {{extra.password}}', { reload }),
    });
    agent.kill('SIGHUP');
    await agent.waitFor('reload-done');
    expect(published()).toBe(`one ${user} more`);
    const asked = (await world.bao.requests()).slice(before).map(({ operation, path }) => `${operation} ${path}`);
    expect(asked).toEqual(['read secret/data/shop/extra']);
    expect(agent.facts('login-made')).toHaveLength(1);
    await eventually(() => expect(app.reloads()).toBe(1)); // the signal is sent, and the application takes it up later
  });

  it('a bad configuration is refused with all its problems, and the running one stays in use', async () => {
    const { config } = await newPlace();
    const good = {
      backends: backends(),
      secrets: { app: { kv: 'secret/shop/app', refresh: '300ms' } },
      outputs: output('{{app.password}}'),
    };
    const file = await config(good);
    const agent = keepRunning('-c', file);
    await agent.waitFor('output-published');
    writeFileSync(file, '{ "version": 1, ');
    await agent.waitFor('config-rejected', { fits: ({ code }) => code === 'CONFIG_MALFORMED' });
    await config({ ...good, outputs: output('{{app.password}} {{nobody.x}}'), sekrets: {} });
    await agent.waitFor('config-rejected', { fits: ({ code }) => code === 'CONFIG_UNKNOWN_KEY' });
    await world.putSecret('app', { password: 'still followed' });
    await eventually(() => expect(published()).toBe('still followed'));
    await world.putSecret('app', { password: 'one' });
    await config({ ...good, outputs: output('now {{app.password}}') });
    await agent.waitFor('config-applied');
    await eventually(() => expect(published()).toBe('now one'));
    expect(agent.facts('login-made')).toHaveLength(1);
    expect(agent.facts('agent-warning').filter(({ code }) => code === 'CONFIG_UNUSED')).toEqual([]);
    await config({ ...good, secrets: { ...good.secrets, old: good.secrets.app } });
    await agent.waitFor('agent-warning', {
      fits: ({ code, place }) => code === 'CONFIG_UNUSED' && place === 'secrets.old',
    });
  });

  it('a template that changes is rendered again, without a request', async () => {
    const { config, dir } = await newPlace();
    const template = join(dir, 'f.hbs');
    writeFileSync(template, 'a {{app.password}}');
    const file = await config({
      backends: backends(),
      secrets: { app: { kv: 'secret/shop/app' } },
      outputs: { o: { dir: join(dir, 'o'), files: { f: { template } } } },
    });
    const agent = keepRunning('-c', file);
    await agent.waitFor('output-published');
    const before = (await world.bao.requests()).length;
    writeFileSync(`${template}.new`, 'b {{app.password}}');
    renameSync(`${template}.new`, template);
    await eventually(() => expect(published()).toBe('b one'));
    expect((await world.bao.requests()).length).toBe(before);
  });

  it('a ConfigMap that the kubelet swaps is one new configuration', async () => {
    const { dir } = await newPlace();
    const mount = join(dir, 'config');
    const put = (version: string, text: string) => {
      const main = { version: 1, backends: backends(), secrets: { app: { kv: 'secret/shop/app' } } };
      mkdirSync(join(mount, `..${version}`), { recursive: true });
      writeFileSync(join(mount, `..${version}/a.json`), JSON.stringify(main));
      writeFileSync(join(mount, `..${version}/b.json`), JSON.stringify({ version: 1, outputs: output(text) }));
      symlinkSync(`..${version}`, join(mount, '..tmp'));
      renameSync(join(mount, '..tmp'), join(mount, '..data'));
    };
    put('v1', 'one {{app.password}}');
    for (const name of ['a.json', 'b.json']) symlinkSync(`..data/${name}`, join(mount, name));
    const agent = keepRunning('-c', mount);
    await agent.waitFor('output-published');
    expect(published()).toBe('one one');
    put('v2', 'two {{app.password}}');
    await agent.waitFor('config-applied');
    await eventually(() => expect(published()).toBe('two one'));
    expect(agent.facts('config-rejected')).toEqual([]);
  });

  it('a file that appears in the directory of -c is part of it', async () => {
    const { dir } = await newPlace();
    const mount = join(dir, 'conf.d');
    mkdirSync(mount);
    const main = { version: 1, backends: backends(), secrets: { app: { kv: 'secret/shop/app' } } };
    writeFileSync(join(mount, 'a.json'), JSON.stringify(main));
    const agent = keepRunning('-c', mount);
    await agent.waitFor('agent-started');
    writeFileSync(join(mount, 'b.json'), JSON.stringify({ outputs: output('{{app.password}}') }));
    await agent.waitFor('output-published');
    expect(published()).toBe('one');
  });

  it.each(['-c DIRECTORY', '-c FILE'])(
    'is found after its directory was gone for a while (%s), and so is a template',
    async (how) => {
      const { dir } = await newPlace();
      const folder = join(dir, 'conf.d');
      const write = (text: string) => {
        mkdirSync(folder);
        const files = { f: { template: './f.hbs' } };
        const secrets = { app: { kv: 'secret/shop/app' } };
        const outputs = { o: { dir: join(dir, 'o'), files } };
        writeFileSync(join(folder, 'f.hbs'), `${text} {{app.password}}`);
        writeFileSync(join(folder, 'a.json'), JSON.stringify({ version: 1, backends: backends(), secrets, outputs }));
      };
      write('1');
      const agent = keepRunning('-c', how === '-c FILE' ? join(folder, 'a.json') : folder);
      await agent.waitFor('output-published');
      for (const text of ['2', '3']) {
        rmSync(folder, { recursive: true });
        await new Promise((resolve) => setTimeout(resolve, 1_200));
        write(text);
        await eventually(() => expect(published()).toBe(`${text} one`));
        writeFileSync(join(folder, 'f.hbs'), `${text} again {{app.password}}`);
        await eventually(() => expect(published()).toBe(`${text} again one`));
      }
      expect(await agent.stop()).toBe(0);
    },
    60_000,
  );

  it('a backend with another address is opened anew; a backend that is gone is closed', async () => {
    const { config } = await newPlace();
    const secrets = { app: { kv: 'secret/shop/app' } };
    const file = await config({ backends: backends(), secrets, outputs: output('{{app.password}}') });
    const agent = keepRunning('-c', file);
    await agent.waitFor('output-published');
    const moved = { bao: { ...backends().bao, timeout: '9s' } };
    await config({ backends: moved, secrets, outputs: output('x {{app.password}}') });
    await agent.waitFor('login-made', { count: 2 });
    await eventually(() => expect(published()).toBe('x one'));
    expect(await agent.stop()).toBe(0);
  });
});
