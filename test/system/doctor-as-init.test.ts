import { spawn } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runAgent } from './agent.helpers.ts';
import { fileBackend, writeSecrets } from './file-backend.helpers.ts';
import { baoOf, failuresOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

beforeAll(async () => {
  await world().putSecret('app', { username: 'shop', password: 'hunter2' });
  await world().putSecret('app', { username: 'shop', password: 'hunter3' });
});

interface Check {
  readonly check: string;
  readonly place: string;
  readonly state: string;
  readonly seen: string;
  readonly hint?: string;
  readonly code?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** What doctor and init say about one configuration; `init` is undefined when it is not asked. */
async function both(config: object, { withInit = true } = {}) {
  const place = await scene.place();
  const path = await place.config(config);
  const agent = await runAgent(['doctor', '-c', path, '--json']);
  const checks = JSON.parse(agent.stdout()) as readonly Check[];
  expect(agent.output()).not.toMatch(/hunter\d/);
  const init = withInit ? await scene.init(path, '3s') : undefined;
  return {
    status: agent.status,
    checks,
    failures: checks.filter(({ state }) => state === 'failure'),
    warnings: checks.filter(({ state }) => state === 'warning'),
    initStatus: init?.status,
    initFailures: init === undefined ? [] : failuresOf(init),
  };
}

/** One secret of OpenBao that an output renders. */
const onServer = (secret: object, content = '{{app.password}}') => ({
  backends: { bao: baoOf(world()) },
  secrets: { app: secret },
  outputs: { o: { dir: './out', files: { f: { content } } } },
});

describe('pannier doctor renders what it has read', () => {
  it('tells a misspelt field of a template, of a format and of a request as init does, with its position', async () => {
    const place = await scene.place();
    await writeSecrets(place, { app: { password: 'hunter2' } });
    const path = join(place.dir, 'pannier.yaml');
    const text = [
      'version: 1',
      'backends: { demo: { kind: file, path: ./secrets.json } }',
      'secrets: { app: { key: app } }',
      'outputs:',
      '  o:',
      '    dir: ./out',
      '    files:',
      '      good: { content: "{{app.password}}" }',
      '      bad: { content: "{{app.pasword}}" }',
      '      raw: { format: raw, from: [app.user] }',
      '    reload: [{ http: { method: POST, url: "http://127.0.0.1:1/", headers: { a: "{{app.tokn}}" } } }]',
    ];
    await writeFile(path, `${text.join('\n')}\n`);
    const agent = await runAgent(['doctor', '-c', path, '--json']);
    const checks = (JSON.parse(agent.stdout()) as readonly Check[]).filter(({ check }) => check === 'rendering');
    expect(checks.map(({ state, code, line }) => [state, code, line])).toEqual([
      ['failure', 'RENDER_MISSING_FIELD', 9],
      ['failure', 'RENDER_MISSING_FIELD', 10],
      ['failure', 'RENDER_MISSING_FIELD', 11],
      ['ok', undefined, undefined],
    ]);
    expect(checks[0]?.hint).toContain('password');
    const lines = await runAgent(['doctor', '-c', path]);
    expect(lines.stdout()).toMatch(/^failure +rendering +\/\S+\/pannier\.yaml:9:\d+: outputs\.o\.files\.bad/m);
    expect(lines.output()).not.toContain('hunter2');
  });

  it('reads KV by read too, and tells that its fields are below data', async () => {
    const { failures, initFailures } = await both(onServer({ read: 'secret/data/shop/app' }, '{{app.username}}'));
    expect(failures).toMatchObject([{ check: 'rendering', code: 'RENDER_MISSING_FIELD' }]);
    expect(initFailures.map(({ code }) => code)).toContain('RENDER_MISSING_FIELD');
  });

  it('warns of a field beside a secret that is not fetched, and makes no credential', async () => {
    const asked = (await world().bao.requests()).length;
    const { warnings, failures } = await both(
      {
        ...onServer({ kv: 'secret/shop/app' }, '{{tls.certificate}}{{app.pasword}}'),
        secrets: {
          app: { kv: 'secret/shop/app' },
          tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc' } },
        },
      },
      { withInit: false },
    );
    expect(failures).toEqual([]);
    expect(warnings).toMatchObject([{ check: 'rendering', code: 'RENDER_MISSING_FIELD' }]);
    const paths = (await world().bao.requests()).slice(asked).map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith('pki/'))).toEqual([]);
  });

  it('reads a trust bundle, whose paths need no policy', async () => {
    const config = onServer({ trustBundle: { issuer: 'pki' } }, '{{app.bundle}}');
    const { checks, failures } = await both(config, { withInit: false });
    expect(failures).toEqual([]);
    expect(checks.find(({ check }) => check === 'secret')?.seen).toMatch(/can be read, with 3 fields/);
  });
});

describe('pannier doctor gives the advice of init', () => {
  it.each([
    ['a path of kv that is read', { read: 'secret/shop/app' }, /Write kv: secret\/shop\/app/],
    ['a version of KV that the mount does not have', { kv: 'secret/shop/app', kvVersion: 1 }, /is KV version 2/],
    ['a version of KV that another mount does not have', { kv: 'kv1/app', kvVersion: 2 }, /kv1\/ is KV version 1/],
    ['a mount that is missing', { kv: 'nothere/app' }, /there is none, or .* It sees .*secret\//],
    ['a mount that is missing, for a read', { read: 'nothere/app' }, /there is none, or .* It sees .*secret\//],
    ['a version that the secret does not have', { kv: 'secret/shop/app', version: 99 }, /Write a version that/],
  ])('about %s', async (_, secret, hint) => {
    const { failures, initFailures } = await both(onServer(secret));
    const [told] = failures.filter(({ check }) => check === 'secret');
    expect(told?.hint).toMatch(hint);
    const [ofInit] = initFailures;
    expect([told?.code, told?.hint]).toEqual([ofInit?.code, ofInit?.hint]);
  });

  it('and names the newest version of a secret that lacks the pinned one', async () => {
    const { failures } = await both(onServer({ kv: 'secret/shop/app', version: 99 }), { withInit: false });
    expect(failures[0]?.seen).toBe('the secret has no version 99; the newest is 2');
    const gone = await both(onServer({ kv: 'secret/shop/gone', version: 99 }), { withInit: false });
    expect(gone.failures[0]?.hint).toContain('The KV mount exists, the secret does not');
  });
});

describe('pannier doctor looks at what an agent uses', () => {
  const config = () => ({
    backends: { ...fileBackend, idle: { kind: 'file', path: '/nonexistent' } },
    secrets: { app: { key: 'app' }, unused: { key: 'gone' }, other: { backend: 'idle', key: 'x' } },
    outputs: { o: { dir: './out', files: { f: { content: '{{app.password}}' } } } },
  });

  it('skips a secret that nothing reads and a backend that nothing asks, and warns as validate does', async () => {
    const place = await scene.place();
    await writeSecrets(place, { app: { password: 'hunter2' } });
    const { secrets, ...rest } = config();
    const { app, unused } = secrets;
    const path = await place.config({
      ...rest,
      secrets: { app: { ...app, backend: 'demo' }, unused: { ...unused, backend: 'demo' } },
    });
    const agent = await runAgent(['doctor', '-c', path, '--json']);
    const checks = JSON.parse(agent.stdout()) as readonly Check[];
    expect(agent.status).toBe(0);
    const told = (state: string) => checks.filter((one) => one.state === state).map((one) => [one.place, one.code]);
    expect(told('warning').filter(([, code]) => code === 'CONFIG_UNUSED')).toEqual([
      ['secrets.unused', 'CONFIG_UNUSED'],
      ['backends.idle', 'CONFIG_UNUSED'],
    ]);
    expect(told('skipped')).toEqual([
      ['secrets.unused.key', undefined],
      ['backends.idle', undefined],
    ]);
    expect(checks.find(({ code }) => code === 'CONFIG_UNUSED')).toMatchObject({ line: expect.any(Number) });
  });

  it('and policy has no line for such a secret', async () => {
    const place = await scene.place();
    const secrets = { app: { kv: 'secret/shop/app' }, unused: { kv: 'secret/shop/unused' } };
    const path = await place.config({ ...onServer({}), secrets });
    const { stdout } = await runAgent(['policy', '-c', path]).then((agent) => ({ stdout: agent.stdout() }));
    expect(stdout).toContain('secret/data/shop/app');
    expect(stdout).not.toContain('unused');
  });

  it('gives problems of the configuration and of templates their positions', async () => {
    const place = await scene.place();
    const path = join(place.dir, 'pannier.yaml');
    await writeFile(
      path,
      'version: 1\nbackends: { demo: { kind: file, path: ./s } }\nsecrets:\n  app: { key: a }\nsecretz: {}\n',
    );
    const json = await runAgent(['doctor', '-c', path, '--json']);
    const [first] = JSON.parse(json.stdout()) as readonly Check[];
    expect(first).toMatchObject({ code: 'CONFIG_UNKNOWN_KEY', file: path, line: 5, column: 1 });
    const text = await runAgent(['doctor', '-c', path]);
    expect(text.stdout()).toMatch(/^failure +configuration +\/\S+\/pannier\.yaml:5:1: secretz: /m);
    const template = [
      'version: 1',
      'outputs:',
      '  o:',
      '    dir: ./out',
      '    files:',
      '      f: { content: "{{#if x}}" }',
    ];
    await writeFile(path, `${template.join('\n')}\n`);
    const parsed = await runAgent(['doctor', '-c', path, '--json']);
    const failed = (JSON.parse(parsed.stdout()) as readonly Check[]).find(({ check }) => check === 'template');
    expect(failed).toMatchObject({ code: 'TEMPLATE_SYNTAX', file: path, line: 6 });
  });
});

describe('pannier doctor looks at the machine as init meets it', () => {
  const withOutput = (dir: string) => ({
    backends: fileBackend,
    secrets: { app: { key: 'app' } },
    outputs: { o: { dir, files: { f: { content: '{{app.password}}' } } } },
  });

  it.runIf(process.platform === 'linux').each(['/proc/pannier', '/sys/kernel/pannier'])(
    'and says that %s cannot be made',
    async (dir) => {
      const { failures } = await both(withOutput(dir), { withInit: false });
      expect(failures.find(({ place }) => place === 'outputs.o.dir')).toMatchObject({
        check: 'destination',
        code: 'OUTPUT_NOT_WRITABLE',
      });
      expect(failures.map(({ code }) => code)).not.toContain('OUTPUT_FULL');
    },
  );

  it('tells a generation that is held back', async () => {
    const place = await scene.place();
    await writeSecrets(place, { app: { password: 'hunter2' } });
    const path = await place.config(withOutput(join(place.dir, 'out')));
    await scene.init(path);
    const published = join(place.dir, 'out');
    await mkdir(join(published, '..g9'));
    await writeFile(join(published, '..reloaded'), '1\nheld 9\n', { mode: 0o600 });
    const agent = await runAgent(['doctor', '-c', path, '--json']);
    const held = (JSON.parse(agent.stdout()) as readonly Check[]).find(({ check }) => check === 'leftovers');
    expect(held).toMatchObject({ state: 'warning', code: 'OUTPUT_HELD' });
    expect(held?.seen).toMatch(/^generation 1 is published; generation 9 was taken back, and is held back since$/);
  });

  it.runIf(process.platform === 'linux').each(['pannier.yaml', 'PANNIER_CONFIG'])(
    'sees an agent that has its configuration from %s',
    async (from) => {
      const place = await scene.place();
      await writeSecrets(place, { app: { password: 'hunter2' } });
      const config = await place.config(withOutput(join(place.dir, 'out')));
      if (from === 'pannier.yaml') await symlink(config, join(place.dir, 'pannier.yaml'));
      const env = from === 'PANNIER_CONFIG' ? { PANNIER_CONFIG: config } : {};
      const agent = scene.runBare({ cwd: place.dir, env });
      await agent.waitFor('output-published');
      const other = await scene.place();
      const path = await other.config({
        ...withOutput(join(place.dir, 'out')),
        backends: { demo: { kind: 'file', path: join(place.dir, 'secrets.json') } },
      });
      const doctor = await runAgent(['doctor', '-c', path, '--json']);
      const found = (JSON.parse(doctor.stdout()) as readonly Check[]).find(({ check }) => check === 'agents');
      expect(found).toMatchObject({ state: 'failure', code: 'OUTPUT_OCCUPIED' });
      expect(found?.seen).toContain(`process ${agent.pid}`);
    },
  );
});

describe('standard output', () => {
  const manySecrets = async () => {
    const place = await scene.place();
    const names = Array.from({ length: 30 }, (_, i) => `app${i}`);
    await writeSecrets(place, Object.fromEntries(names.map((name) => [name, { password: 'hunter2' }])));
    const outputs = names.map((name) => [
      name,
      { dir: join(place.dir, name), files: { f: { format: 'raw', from: [`${name}.password`] } } },
    ]);
    return await place.config({
      backends: fileBackend,
      secrets: Object.fromEntries(names.map((key) => [key, { key }])),
      outputs: Object.fromEntries(outputs),
    });
  };

  it('gets many lines of doctor without a warning of Node', async () => {
    const agent = await runAgent(['doctor', '-c', await manySecrets()]);
    expect([agent.status, agent.stderr()]).toEqual([0, '']);
  });

  it.each(['doctor', 'schema', 'validate'])('ends %s quietly when its reader has closed the pipe', async (command) => {
    const args = command === 'schema' ? [command] : [command, '-c', await manySecrets()];
    const child = spawn(process.execPath, [resolve('dist/pannier.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const status = await new Promise((done) => child.once('close', done));
    expect([status, stderr]).toEqual([0, '']);
  });
});
