import { once } from 'node:events';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsError, startAwsProxy } from '../faults/aws-proxy.ts';
import { findFreePort, type Moto, startMoto } from '../servers/index.ts';
import { eventually, isRunning } from './agent.helpers.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();
let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 300_000);
afterAll(() => moto.stop());

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'made-up', AWS_EC2_METADATA_DISABLED: 'true' };
const env = { ...KEYS, AWS_REGION: 'eu-west-1' };
const awsAt = (endpoint: string, more: object = {}) => ({ kind: 'aws-secrets-manager', endpoint, ...more });

/** A configuration with one secret, polled often, in one file. */
async function setUp(endpoint: string, id: string, more: object = {}) {
  const place = await scene.place();
  const out = join(place.dir, 'out');
  const config = await place.config({
    backends: { aws: awsAt(endpoint, more) },
    secrets: { app: { secretId: id, refresh: '200ms' } },
    outputs: { o: { dir: out, files: { text: { content: '{{app.password}}' } } } },
  });
  return { dir: place.dir, config, text: () => published(out)?.['text'] };
}

describe('OpenBao, AWS and a file in one output', () => {
  it('that all change within the quiet period are one generation and one reload', async () => {
    const { dir, config: write } = await scene.place();
    const file = async (password: string) => {
      await writeFile(join(dir, 'new'), JSON.stringify({ local: { password } }));
      await rename(join(dir, 'new'), join(dir, 'secrets.json'));
    };
    const putAll = async (value: string) => {
      await world().putSecret('mixed', { password: `bao-${value}` });
      await moto.putSecret('mixed/db', JSON.stringify({ password: `aws-${value}` }));
      await moto.putParameter('/mixed/url', `ssm-${value}`);
      await file(`file-${value}`);
    };
    await putAll('1');
    const config = await write({
      backends: {
        bao: baoOf(world()),
        aws: awsAt(moto.address),
        demo: { kind: 'file', path: './secrets.json' },
      },
      secrets: {
        bao: { backend: 'bao', kv: 'secret/shop/mixed', refresh: '1h' },
        db: { backend: 'aws', secretId: 'mixed/db', refresh: '1h' },
        url: { backend: 'aws', parameter: '/mixed/url', refresh: '1h' },
        local: { backend: 'demo', key: 'local' },
      },
      outputs: {
        o: {
          dir: join(dir, 'out'),
          quiet: '500ms',
          maxWait: '10s',
          files: { all: { content: '{{bao.password}} {{db.password}} {{url.value}} {{local.password}}' } },
          reload: [{ command: { argv: ['/bin/sh', '-c', 'echo done >> reloads'] } }],
        },
      },
    });
    const agent = scene.run(config, { env, cwd: dir });
    await agent.waitFor('output-published');
    await putAll('2'); // the kernel reports the change of the file, and then the others are fetched too
    await agent.waitFor('reload-done');
    await pause(1_500);
    expect(published(join(dir, 'out'))).toEqual({ all: 'bao-2 aws-2 ssm-2 file-2' });
    expect(agent.facts('output-published').map(({ generation }) => generation)).toEqual([1, 2]);
    expect(agent.facts('reload-done').length).toBe(1);
  });
});

describe('AWS that cannot be reached', () => {
  it('at the start: run waits for it; in the middle: the last good files stay, and the next value comes', async () => {
    await using own = await startMoto();
    await own.kill();
    const { config, text } = await setUp(own.address, 'down');
    const agent = scene.run(config, { env });
    const failed = await agent.waitFor('secret-failed');
    expect(failed).toMatchObject({ code: 'BACKEND_UNREACHABLE', seen: `connection refused at ${own.address}` });
    await own.start();
    await own.putSecret('down', '{"password":"one"}');
    await agent.waitFor('output-published');
    expect(text()).toBe('one');
    await own.kill();
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'stale' });
    expect(text()).toBe('one');
    await own.start();
    await own.putSecret('down', '{"password":"two"}');
    await agent.waitFor('output-published', { count: 2, withinMs: 60_000 });
    expect(text()).toBe('two');
  }, 120_000);
});

describe('credentials of AWS', () => {
  it('that expired are taken up again when their file changes', async () => {
    await using proxy = await startAwsProxy(moto.address);
    const { dir, config, text } = await setUp(proxy.address, 'expiring');
    const file = join(dir, 'credentials');
    const keys = (id: string) => `[default]\naws_access_key_id = ${id}\naws_secret_access_key = made-up\n`;
    await writeFile(file, keys('AKIAONE'));
    await moto.putSecret('expiring', '{"password":"one"}');
    const agent = scene.run(config, {
      env: { AWS_REGION: 'eu-west-1', AWS_SHARED_CREDENTIALS_FILE: file, AWS_EC2_METADATA_DISABLED: 'true' },
    });
    await agent.waitFor('output-published');
    proxy.fault(({ accessKeyId }) => (accessKeyId === 'AKIAONE' ? awsError('ExpiredTokenException') : undefined));
    const failed = await agent.waitFor('secret-failed', { fits: ({ code }) => code === 'AUTH_EXPIRED' });
    expect(failed).toMatchObject({ place: 'backends.aws' });
    await moto.putSecret('expiring', '{"password":"two"}');
    await writeFile(file, keys('AKIATWOTWO'));
    await eventually(() => expect(text()).toBe('two'), 60_000);
  }, 120_000);

  it('that do not exist, or a region that is not configured, end init with what is missing', async () => {
    const { dir, config } = await setUp(moto.address, 'any');
    const bare = { HOME: dir, AWS_EC2_METADATA_DISABLED: 'true' };
    const noRegion = await scene.init(config, '1h', { env: { ...bare, ...KEYS } });
    expect(noRegion.status).toBe(2);
    expect(failuresOf(noRegion)).toMatchObject([
      { code: 'CONFIG_MISSING', place: 'backends.aws.region', seen: expect.stringMatching(/^absent/) },
    ]);
    const noKeys = await scene.init(config, '1h', { env: { ...bare, AWS_REGION: 'eu-west-1' } });
    expect(noKeys.status).toBe(4);
    expect(failuresOf(noKeys)).toMatchObject([
      {
        code: 'AUTH_NO_CREDENTIALS',
        seen: expect.stringMatching(/environment .*shared files .*web identity .*container .*instance profile/),
      },
    ]);
  });

  it('of a program that does not answer end init at its timeout, with its name, and the program with init', async () => {
    const { dir, config } = await setUp(moto.address, 'any');
    const [pids, file] = [join(dir, 'pids'), join(dir, 'aws-config')];
    await writeFile(file, `[default]\ncredential_process = sleep 60 & echo $! $$ >> ${pids}; wait\n`);
    const env = { HOME: dir, AWS_REGION: 'eu-west-1', AWS_CONFIG_FILE: file, AWS_EC2_METADATA_DISABLED: 'true' };
    const own = await scene.place();
    const login = await own.config({
      backends: { bao: { kind: 'vault', address: 'http://127.0.0.1:9', auth: { method: 'aws' } } },
      secrets: { app: { kv: 'app' } },
      outputs: { o: { dir: join(own.dir, 'out'), files: { f: { content: '{{app.password}}' } } } },
    });
    for (const each of [config, login]) {
      const init = await scene.init(each, '4s', { env });
      expect([init.status, failuresOf(init)]).toMatchObject([
        3,
        [{ code: 'AUTH_SERVICE_DOWN', seen: expect.stringMatching(/^shared files: no answer yet/) }],
      ]);
    }
    const started = (await readFile(pids, 'utf8')).trim().split(/\s/).map(Number);
    expect(started).toHaveLength(4);
    await eventually(() => expect(started.filter(isRunning)).toEqual([]));
  });

  it('of a service that is not up yet are waited for; a service that never comes up ends init with status 3 and the cause', async () => {
    await moto.putSecret('late', '{"password":"at last"}');
    const port = await findFreePort();
    const uri = `http://127.0.0.1:${port}/v1/credentials`;
    const late = {
      AWS_REGION: 'eu-west-1',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: uri,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const { config, text } = await setUp(moto.address, 'late');
    const never = await scene.init(config, '2s', { env: late });
    expect(never.status).toBe(3);
    const seen = expect.stringContaining(`container: connection refused at http://127.0.0.1:${port}`);
    expect(failuresOf(never)).toMatchObject([{ code: 'AUTH_SERVICE_DOWN', place: 'backends.aws', seen }]);

    const init = scene.init(config, '20s', { env: late });
    await pause(2_500);
    await using _service = await startCredentialService(port);
    expect((await init).status).toBe(0);
    expect(text()).toBe('at last');
  });

  it('in variables may end in a line break; any other line break is an error with the name of the variable', async () => {
    await moto.putSecret('broken', '{"password":"p"}');
    const { config, text } = await setUp(moto.address, 'broken');
    const echoed = { ...env, AWS_ACCESS_KEY_ID: 'AKIATEST\n', AWS_SECRET_ACCESS_KEY: 'made-up\n' };
    expect((await scene.init(config, '20s', { env: echoed })).status).toBe(0);
    expect(text()).toBe('p');
    const init = await scene.init(config, '20s', { env: { ...env, AWS_SESSION_TOKEN: 'c4n4ry\nc4n4ry' } });
    expect(init.status).toBe(2);
    expect(init.output()).toContain('AWS_SESSION_TOKEN holds a line break');
    expect(init.output()).not.toContain('c4n4ry');
  });

  it('and the region come from the shared files', async () => {
    const { dir, config, text } = await setUp(moto.address, 'shared', { profile: 'shop' });
    await moto.putSecret('shared', '{"password":"one"}', 'eu-central-1');
    const config_ = join(dir, 'aws-config');
    await writeFile(
      config_,
      '[profile shop]\nregion = eu-central-1\naws_access_key_id = AKIA\naws_secret_access_key = s\n',
    );
    const init = await scene.init(config, '20s', { env: { HOME: dir, AWS_CONFIG_FILE: config_ } });
    expect([init.status, failuresOf(init)]).toEqual([0, []]);
    expect(text()).toBe('one');
  });
});

/** Answers as the agent of EKS Pod Identity or ECS does. */
async function startCredentialService(port: number): Promise<AsyncDisposable> {
  const Expiration = new Date(Date.now() + 3_600_000).toISOString();
  const keys = { AccessKeyId: 'AKIATEST', SecretAccessKey: 'made-up', Token: 't', Expiration };
  const server = createServer((_, response) => response.end(JSON.stringify(keys)));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

describe('a prefix', () => {
  it('is a map whose secrets come and go', async () => {
    const { dir, config: write } = await scene.place();
    await moto.putSecret('map/a', '{"p":"1"}');
    const config = await write({
      backends: { aws: awsAt(moto.address) },
      secrets: { all: { prefix: 'map/', refresh: '200ms' } },
      outputs: {
        o: {
          dir: join(dir, 'out'),
          files: {
            f: { content: '{{#each all}}{{@key}}={{this.p}};{{/each}}' },
            'f.json': { format: 'json', from: 'all' },
          },
        },
      },
    });
    const agent = scene.run(config, { env });
    const text = () => readFile(join(dir, 'out/f'), 'utf8');
    await agent.waitFor('output-published');
    expect(await text()).toBe('a=1;');
    await moto.putSecret('map/b/c', '{"p":"2"}');
    await eventually(async () => expect(await text()).toBe('a=1;b/c=2;'));
    await moto.api('secretsmanager', 'DeleteSecret', { SecretId: 'map/a' });
    await eventually(async () => expect(await text()).toBe('b/c=2;'));
    expect(JSON.parse(await readFile(join(dir, 'out/f.json'), 'utf8'))).toEqual({ 'b/c': { p: '2' } });
  });
});

describe('a start with 500 secrets', () => {
  it('is 25 batch calls', async () => {
    await using proxy = await startAwsProxy(moto.address);
    const names = Array.from({ length: 500 }, (_, at) => `start/${at}`);
    await moto.createSecrets(Object.fromEntries(names.map((name) => [name, `of ${name}`])));
    const place = await scene.place();
    const config = await place.config({
      backends: { aws: awsAt(proxy.address) },
      secrets: Object.fromEntries(names.map((secretId, at) => [`s${at}`, { secretId }])),
      outputs: {
        one: { dir: join(place.dir, 'one'), files: { f: { format: 'json', from: names.map((_, at) => `s${at}`) } } },
        other: { dir: join(place.dir, 'other'), files: { f: { content: '{{s1.value}}' } } },
      },
    });
    const init = await scene.init(config, '60s', { env });
    expect([init.status, failuresOf(init)]).toEqual([0, []]);
    expect(published(join(place.dir, 'other'))).toEqual({ f: 'of start/1' });
    expect(proxy.calls.map(({ operation }) => operation)).toEqual(Array(25).fill('BatchGetSecretValue'));
  }, 120_000);
});

describe('a start without a backend of AWS', () => {
  it('does not load the SDK', async () => {
    const { dir, config: write } = await scene.place();
    await writeFile(join(dir, 'secrets.json'), '{"app":{"password":"one"}}');
    const config = await write({
      backends: { demo: { kind: 'file', path: './secrets.json' } },
      secrets: { app: { key: 'app' } },
      outputs: { o: { dir: join(dir, 'out'), files: { f: { content: '{{app.password}}' } } } },
    });
    // A trace of all modules that are loaded; NODE_DEBUG does not work, since Pannier removes it.
    const trace = { NODE_V8_COVERAGE: join(dir, 'coverage') };
    expect((await scene.init(config, '20s', { env: trace })).status).toBe(0);
    const scripts = async () => {
      const { readdir } = await import('node:fs/promises');
      const [file = ''] = await readdir(join(dir, 'coverage'));
      return readFile(join(dir, 'coverage', file), 'utf8');
    };
    expect(await scripts()).toContain('/dist/main.js');
    expect(await scripts()).not.toContain('aws-sdk.cjs');
  });
});

describe('an application made for the AWS agent', () => {
  it('gets its secrets with the requests that it makes there, as they are stored, and refreshNow asks AWS', async () => {
    const { dir, config: write } = await scene.place();
    const stored = '{ "value": "one",\n  "n": 1.10 }';
    await moto.putSecret('agent/first', 'before');
    const { ARN, VersionId } = await moto.putSecret('agent/first', stored);
    await moto.putSecret('agent/lone', '{"value":"x"}');
    await moto.putSecret('agent/bytes', Uint8Array.of(0xff, 0));
    const port = await findFreePort();
    await writeFile(join(dir, 'token'), 'local-token\n', { mode: 0o600 });
    const agent = scene.run(
      await write({
        backends: { aws: awsAt(moto.address) },
        secrets: {
          first: { secretId: 'agent/first', refresh: '1h', previous: true },
          lone: { secretId: 'agent/lone', refresh: '1h' },
          bytes: { secretId: 'agent/bytes', refresh: '1h' },
        },
        api: { listen: `127.0.0.1:${port}`, tokenFile: './token' },
      }),
      { env, cwd: dir },
    );
    await agent.waitFor('listener-opened');
    const ask = async (query: string, token = 'local-token') => {
      const headers = { 'X-Aws-Parameters-Secrets-Token': token };
      const answer = await fetch(`http://127.0.0.1:${port}/secretsmanager/get?${query}`, { headers });
      return [
        answer.status,
        answer.ok ? ((await answer.json()) as Record<string, unknown>) : await answer.text(),
      ] as const;
    };
    await eventually(async () => expect((await ask('secretId=agent/first'))[0]).toBe(200));
    const wanted = { ARN, Name: 'agent/first', VersionId, SecretString: stored, VersionStages: ['AWSCURRENT'] };
    expect(await ask('secretId=agent/first')).toMatchObject([200, wanted]);
    expect(await ask(`secretId=${encodeURIComponent(ARN)}&versionStage=AWSCURRENT`)).toMatchObject([200, wanted]);
    expect(await ask(`secretId=agent/first&versionId=${VersionId}`)).toMatchObject([200, wanted]);
    const previous = await ask('secretId=agent/first&versionStage=AWSPREVIOUS');
    expect(previous).toMatchObject([200, { SecretString: 'before', VersionStages: ['AWSPREVIOUS'] }]);
    expect(await ask('secretId=agent/lone')).toMatchObject([200, { SecretString: '{"value":"x"}' }]);
    expect(await ask('secretId=agent/bytes')).toMatchObject([200, { SecretBinary: '/wA=' }]);
    expect((await ask('secretId=agent/first', 'other'))[0]).toBe(403);
    const none = await ask('secretId=agent/none');
    expect([none[0], JSON.parse(String(none[1]))]).toMatchObject([400, { __type: 'ResourceNotFoundException' }]);

    const next = await moto.putSecret('agent/first', 'after');
    expect(await ask('secretId=agent/first')).toMatchObject([200, { VersionId }]);
    const fresh = { VersionId: next.VersionId, SecretString: 'after' };
    expect(await ask('secretId=agent/first&refreshNow=true')).toMatchObject([200, fresh]);
    expect(await ask('secretId=agent/first')).toMatchObject([200, fresh]);
  });
});
