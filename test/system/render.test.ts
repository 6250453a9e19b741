import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AgentOptions, eventually, type Place, runAgent } from './agent.helpers.ts';
import { CANARY, LOUD } from './canary.helpers.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true });

const render = (config: string, args: readonly string[] = [], options?: AgentOptions) =>
  runAgent(['render', '-c', config, ...args], options);

interface Local {
  readonly place: Place;
  readonly dir: string;
  readonly config: string;
  put(app: object): void;
}

/** A configuration with the outputs `o` and `p` over a file backend. */
async function local(files: object, app: object): Promise<Local> {
  const place = await scene.place();
  const put = (fields: object) => writeFileSync(join(place.dir, 'secrets.json'), JSON.stringify({ app: fields }));
  put(app);
  const dir = join(place.dir, 'o');
  const config = await place.config({
    log: { level: 'trace', format: 'json' },
    backends: { demo: { kind: 'file', path: './secrets.json' } },
    secrets: { app: { key: 'app' } },
    outputs: {
      o: { dir, files, reload: [{ command: { argv: ['/bin/sh', '-c', `echo done >> ${place.dir}/reloaded`] } }] },
      p: { dir: join(place.dir, 'p'), files: { g: { content: 'g {{app.user}}\n' } } },
    },
  });
  return { place, dir, config, put };
}

describe('pannier render', () => {
  it('shows the variables of exec, masked, and reports values that no variable can hold', async () => {
    const place = await scene.place();
    const put = (password: string) =>
      writeFileSync(join(place.dir, 'secrets.json'), JSON.stringify({ db: { password } }));
    put(`${CANARY}-1`);
    const config = await place.config({
      backends: { demo: { kind: 'file', path: './secrets.json' } },
      secrets: { db: { key: 'db' } },
      outputs: { o: { dir: join(place.dir, 'o'), files: { f: { content: 'f' } } } },
      exec: { env: { PGUSER: 'shop', URL: 'pg://{{db.password}}@x' } },
    });
    const variables = '==> exec.env/PGUSER <==\nshop\n\n==> exec.env/URL <==\npg://[secret]@x\n\n';
    expect((await render(config)).stdout()).toBe(`==> ${place.dir}/o/f <==\nf\n\n${variables}`);
    expect((await render(config, ['--output', 'exec.env'])).stdout()).toBe(variables);
    expect((await render(config, ['--output', 'o', '--diff'])).stdout()).not.toContain('exec.env');
    expect((await render(config, ['--output', 'exec.env', '--reveal'])).stdout()).toContain(`pg://${CANARY}-1@x`);
    put(`${CANARY}\0`);
    const failed = await render(config);
    expect([failed.status, failuresOf(failed)]).toMatchObject([1, [{ code: 'EXEC_VARIABLE', place: 'exec.env.URL' }]]);
    expect(failed.output()).not.toContain(CANARY);
  });

  it('shows and writes variables of whole secrets', async () => {
    const place = await scene.place();
    writeFileSync(join(place.dir, 'secrets.json'), JSON.stringify({ db: { 'a.b': CANARY, user: CANARY } }));
    const config = await place.config({
      backends: { demo: { kind: 'file', path: './secrets.json' } },
      secrets: { db: { key: 'db' } },
      outputs: {},
      exec: { from: ['db'], names: 'any', env: { user: 'shop' } },
    });
    expect((await render(config)).stdout()).toBe('==> exec.env/user <==\nshop\n\n==> exec.env/a.b <==\n[secret]\n\n');
    const out = join(place.dir, 'out');
    expect((await render(config, ['--out', out])).status).toBe(0);
    expect(published(join(out, 'exec.env'))).toEqual({ user: 'shop', 'a.b': '[secret]' });
  });

  it('prints what init would publish, masked; publishes nothing and leaves neither login nor lease', async () => {
    const { bao, postgres } = world();
    const place = await scene.place();
    await world().putSecret('app', { password: `${CANARY}-1` });
    const dir = join(place.dir, 'o');
    const config = await place.config({
      backends: { bao: baoOf(world()) },
      secrets: { app: { kv: 'secret/shop/app' }, db: { read: 'database/creds/shop' } },
      outputs: { o: { dir, files: { f: { content: 'p={{app.password}} u={{db.username}}\n' } } } },
    });
    const accessors = async () => (await bao.api('LIST', 'auth/token/accessors')) as unknown;
    const before = JSON.stringify(await accessors());
    const roles = 'SELECT rolname FROM pg_roles ORDER BY 1';
    const rolesBefore = await postgres.query(roles);
    const masked = await render(config);
    expect([masked.status, masked.stdout()]).toEqual([0, `==> ${dir}/f <==\np=[secret] u=[secret]\n\n`]);
    expect([masked.facts('login-revoked').length, existsSync(dir)]).toEqual([1, false]);
    expect(masked.facts('output-published')).toEqual([]);
    const shown = await render(config, ['--reveal']);
    expect(shown.stdout()).toMatch(new RegExp(`^==> .*/f <==\np=${CANARY}-1 u=v-\\S+\n\n$`));
    expect(JSON.stringify(dataOf(await accessors()))).toBe(JSON.stringify(dataOf(JSON.parse(before))));
    await eventually(async () => expect(await postgres.query(roles)).toEqual(rolesBefore));
  });

  it('shows no value without --reveal, with any format, in any option, and with every debug switch on', async () => {
    const app = { user: `${CANARY}-u`, pem: `${CANARY}-a\n${CANARY}-b`, list: [`${CANARY}-l`], number: 1.5, on: true };
    const templated = {
      content: '{{#each app.list}}{{this}}{{/each}} {{upper app.user}} {{base64encode app.pem}}\n{{app.pem}}\n',
    };
    const files = {
      t: templated,
      'a.env': { format: 'dotenv', from: 'app' },
      'a.json': { format: 'json', from: 'app' },
      raw: { format: 'raw', from: 'app.pem' },
    };
    const { place, dir, config, put } = await local(files, { ...app, user: 'old' });
    expect((await scene.init(config)).status).toBe(0);
    put(app);
    const out = join(place.dir, 'out');
    const runs = [
      [],
      ['--diff'],
      ['--json'],
      ['--json', '--diff'],
      ['--out', out],
      ['--diff', '--out', out, '--output', 'o'],
    ];
    for (const args of runs) {
      const agent = await render(config, args, { env: LOUD });
      expect(agent.status).toBe(0);
      for (const shape of [CANARY, CANARY.toUpperCase(), Buffer.from(CANARY).toString('base64').slice(0, 8)]) {
        expect(agent.output()).not.toContain(shape);
      }
    }
    for (const name of Object.keys(files)) expect(readFileSync(join(out, 'o', name), 'utf8')).not.toContain(CANARY);
    expect(readFileSync(join(dir, 't'), 'utf8')).toContain('OLD');
    expect(existsSync(join(place.dir, 'reloaded'))).toBe(false);
    const shown = await render(config, ['--reveal', '--output', 'o']);
    expect(shown.stdout()).toContain(`${CANARY}-u`);
  });

  it('--diff shows what would change; lines look equal where only a value does', async () => {
    const { dir, config, put } = await local(
      { f: { content: '[db]\nuser={{app.user}}\npassword={{app.password}}\n{{#if app.tls}}tls=on\n{{/if}}' } },
      { user: 'u', password: 'one' },
    );
    await scene.init(config);
    expect((await render(config, ['--diff'])).stdout()).toBe('');
    expect((await render(config, ['--exit-code'])).status).toBe(0);
    put({ user: 'u', password: 'two', tls: true });
    const masked = await render(config, ['--diff', '--output', 'o']);
    const counted = await render(config, ['--exit-code', '--output', 'o']);
    expect([masked.status, counted.status, counted.stdout()]).toEqual([0, 5, masked.stdout()]);
    expect(masked.stdout()).toBe(`--- ${dir}/f\tgeneration 1
+++ ${dir}/f\trendered
@@ -1,3 +1,4 @@
 [db]
 user=[secret]
-password=[secret]
+password=[secret]
+tls=on
`);
    const shown = await render(config, ['--diff', '--reveal', '--output', 'o']);
    expect(shown.stdout()).toContain('-password=one\n+password=two\n');
    const first = await render(config, ['--diff', '--output', 'p']);
    expect(first.stdout()).toBe('');
  });

  it('--json is one document, with what --diff finds, and with values only on request', async () => {
    const { dir, config, put } = await local(
      { f: { content: '{{app.password}}\n' }, same: { content: 'x' }, bytes: { format: 'raw', from: 'app.password' } },
      { password: 'one' },
    );
    const file = (name: string, text: string) => ({ name, path: join(dir, name), text });
    const documentOf = async (...args: string[]) => {
      const agent = await render(config, ['--json', '--output', 'o', ...args]);
      return [agent.status, JSON.parse(agent.stdout())];
    };
    const files = [file('f', '[secret]\n'), file('same', 'x'), file('bytes', '[secret]')];
    expect(await documentOf()).toEqual([0, { outputs: [{ name: 'o', dir, files }], problems: [] }]);
    await scene.init(config);
    expect(await documentOf('--exit-code')).toMatchObject([0, { changed: false }]);
    put({ password: 'two' });
    const [status, document] = await documentOf('--exit-code', '--reveal');
    expect([status, document.changed]).toEqual([5, true]);
    const changes = document.outputs[0].files.map(({ name, change }: Record<string, string>) => [name, change]);
    expect(changes).toEqual([
      ['f', 'changed'],
      ['same', 'same'],
      ['bytes', 'changed'],
    ]);
    expect(document.outputs[0].files[0].text).toBe('two\n');
    expect(document.outputs[0].files[0].difference).toContain('-one\n+two\n');
  });

  it('--json holds all problems, of the configuration as well, and the status is that of init', async () => {
    const { config } = await local({ f: { content: '{{app.nope}}' } }, { user: 'u' });
    const failed = await render(config, ['--json', '--output', 'o']);
    expect(failed.status).toBe(1);
    expect(JSON.parse(failed.stdout())).toMatchObject({ outputs: [], problems: [{ code: 'RENDER_MISSING_FIELD' }] });
    writeFileSync(config, '{"version": 1, "backnds": {}}');
    const refused = await render(config, ['--json']);
    expect(refused.status).toBe(2);
    const problem = { code: 'CONFIG_UNKNOWN_KEY', place: 'backnds', file: config, line: 1, column: 16 };
    expect(JSON.parse(refused.stdout())).toMatchObject({ outputs: [], problems: [problem] });
  });

  it('--diff names added and removed files, and shows nothing of the content of published ones', async () => {
    const { place, dir, config } = await local({ f: { content: 'x {{app.user}}\n' } }, { user: 'u' });
    await scene.init(config);
    const text = readFileSync(config, 'utf8').replace('"files":{"f":', '"files":{"new":');
    writeFileSync(config, text);
    expect((await render(config, ['--diff', '--output', 'o'])).stdout()).toBe(`--- /dev/null
+++ ${dir}/new\trendered
@@ -0,0 +1,1 @@
+x [secret]
--- ${dir}/f\tgeneration 1
+++ /dev/null
@@ -1,1 +0,0 @@
-[a line that is not shown]
`);
    expect(readdirSync(place.dir).sort()).toEqual(['o', 'p', 'pannier.json', 'secrets.json']);
  });

  it('--out writes private files, with values on request, and bytes as they are', async () => {
    const { place, config } = await local(
      { 'sub/key': { content: '{{base64decode app.key}}' } },
      { user: 'u', key: '/wE=' },
    );
    const out = join(place.dir, 'deep/out');
    const agent = await render(config, ['--reveal', '--out', out]);
    expect([agent.status, agent.stdout()]).toEqual([0, '']);
    expect([...readFileSync(join(out, 'o/sub/key'))]).toEqual([0xff, 1]);
    expect(readFileSync(join(out, 'p/g'), 'utf8')).toBe('g u\n');
    const mode = (path: string) => lstatSync(join(out, path)).mode & 0o777;
    expect([mode('o/..data/sub/key'), mode('o')]).toEqual([0o400, 0o700]);
    expect((await render(config, ['--reveal', '--output', 'o'])).stdout()).toContain('(2 bytes that are not text');
  });

  it('ends as init does, and prints the files that could be rendered', async () => {
    const { config } = await local({ f: { content: '{{app.gone}}' } }, { user: 'u' });
    const agent = await render(config);
    expect([agent.status, failuresOf(agent).map(({ code }) => code)]).toEqual([1, ['RENDER_MISSING_FIELD']]);
    expect(agent.stdout()).toContain('g [secret]');
    const unknown = await render(config, ['--output', 'q']);
    expect([unknown.status, failuresOf(unknown)[0]?.place]).toEqual([2, '--output q']);
  });
});

function dataOf(answer: unknown): unknown {
  const { data } = answer as { data?: { keys?: string[] } };
  return [...(data?.keys ?? [])].sort();
}
