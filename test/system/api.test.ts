import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EventSource } from 'eventsource';
import { describe, expect, it, onTestFinished } from 'vitest';
import { statusSchema } from '../../src/deliver/api/status.ts';
import { findFreePort } from '../servers/free-port.ts';
import { type Agent, eventually, type Place, runAgent } from './agent.helpers.ts';
import { fileBackend, outputsOf, writePassword, writeSecrets } from './file-backend.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();

interface Api extends Place {
  readonly config: Place['config'];
  readonly socket: string;
  /** Runs `curl --unix-socket`; resolves to status and body. */
  curl(path: string, ...more: string[]): Promise<readonly [number, string]>;
}

async function place(): Promise<Api> {
  const made = await scene.place();
  const socket = join(made.dir, 'api.sock');
  const curl: Api['curl'] = async (path, ...more) => {
    const args = ['-s', '-w', '\n%{http_code}', '--unix-socket', socket, ...more, `http://localhost${path}`];
    const { stdout } = await promisify(execFile)('curl', args);
    const end = stdout.lastIndexOf('\n');
    return [Number(stdout.slice(end + 1)), stdout.slice(0, end)];
  };
  return { ...made, socket, curl };
}

const api = (place: Api, more: object = {}) => ({
  backends: fileBackend,
  secrets: { app: { key: 'app' } },
  api: { socket: place.socket, ...more },
});

/** Resolves when the secret has a value. */
const ready = (agent: Agent) => agent.waitFor('secret-changed');

describe('the local API of a running agent', () => {
  it('curl reads a secret that no output needs, over a socket that is private to its owner', async () => {
    const at = await place();
    await writeSecrets(at, { app: { password: 'hunter2', port: 8080 }, other: { password: 'x' } });
    const agent = scene.run(await at.config(api(at)));
    await ready(agent);
    expect((await stat(at.socket)).mode & 0o777).toBe(0o600);
    expect(await at.curl('/v1/secrets/app/password')).toEqual([200, 'hunter2']);
    const [status, body] = await at.curl('/v1/secrets/app');
    expect([status, JSON.parse(body).fields]).toEqual([200, { password: 'hunter2', port: 8080 }]);
    const waiting = at.curl('/v1/secrets/app/password?wait=20s', '-H', `If-None-Match: ${await etag(at)}`);
    await writePassword(at, 'hunter3');
    expect(await waiting).toEqual([200, 'hunter3']);
    expect((await at.curl('/v1/secrets/other'))[0]).toBe(404);
    expect(statusSchema.parse(JSON.parse((await at.curl('/v1/status'))[1])).secrets.map(({ name }) => name)).toEqual([
      'app',
    ]);
    expect(await agent.stop()).toBe(0);
    await expect(stat(at.socket)).rejects.toThrow('ENOENT');
    expect(agent.output()).not.toContain('hunter');
  });

  it('pannier get reports that standard output takes nothing', async () => {
    const at = await place();
    await writeSecrets(at, { app: { password: 'hunter2' } });
    await ready(scene.run(await at.config(api(at))));
    const command = `${process.execPath} dist/pannier.js get app.password --socket ${at.socket} > /dev/full`;
    const failed = await promisify(execFile)('sh', ['-c', command]).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^standard output: the disk is full \(STDOUT\)/),
    });
  });

  it('pannier get prints a field as it is and a secret as JSON, and ends with 1 when they do not exist', async () => {
    const at = await place();
    await writeFile(
      join(at.dir, 'secrets.json'),
      '{"app":{"password":"hünter\\n2","big":9007199254740993,"list":[1.10]}}',
    );
    const config = await at.config(api(at));
    await ready(scene.run(config));
    const get = async (name: string, ...more: string[]) => {
      const { status, stdout, stderr } = await runGet(['get', name, ...more]);
      return [status, stdout, stderr];
    };
    expect(await get('app.password', '--socket', at.socket)).toEqual([0, 'hünter\n2', '']);
    expect(await get('app.big', '-c', config)).toEqual([0, '9007199254740993', '']);
    expect(await get('app.list', '--socket', `unix://${at.socket}`)).toEqual([0, '[1.10]', '']);
    expect(await get('app.password', '--json', '-c', config)).toEqual([0, '"hünter\\n2"\n', '']);
    expect(await get('app', '-c', config)).toEqual([
      0,
      '{"password":"hünter\\n2","big":9007199254740993,"list":[1.10]}\n',
      '',
    ]);
    const [, whole] = await get('app', '--json', '-c', config);
    expect(JSON.parse(String(whole))).toMatchObject({ name: 'app', fields: { list: [1.1] } });
    for (const [name, code] of [
      ['nope', 'API_UNKNOWN_SECRET'],
      ['app.nope', 'API_UNKNOWN_FIELD'],
      ['../status', 'API_UNKNOWN_SECRET'],
    ] as const) {
      const message = expect.stringMatching(new RegExp(`^${name.replaceAll('.', '\\.')}: .*${code}`));
      expect(await get(name, '-c', config)).toEqual([1, '', message]);
      if (name !== '../status') expect(await get(name, '--json', '-c', config)).toEqual([1, '', message]);
    }
    const env = { PANNIER_SOCKET: at.socket };
    expect((await runGet(['get', 'app.big'], env)).stdout).toBe('9007199254740993');
    expect(await get('app', '--socket', join(at.dir, 'none'))).toEqual([
      1,
      '',
      expect.stringContaining('no such socket (AGENT_UNREACHABLE)'),
    ]);
    await writeFile(join(at.dir, 'secrets.json'), 'broken');
    await eventually(async () =>
      expect((await get('app.big', '-c', config))[2]).toMatch(/^get: app is stale, last known good \d+ s ago\n$/),
    );
  });

  it('an EventSource survives a restart of the agent and gets the changes of that time', async () => {
    const at = await place();
    const port = await findFreePort();
    const token = 'a-token-of-this-test';
    await writeFile(join(at.dir, 'token'), token);
    await writePassword(at, '1');
    const config = await at.config({ ...api(at), api: { listen: `127.0.0.1:${port}`, tokenFile: './token' } });
    const first = scene.run(config);
    await ready(first);
    const heard: string[] = [];
    const source = new EventSource(`http://127.0.0.1:${port}/v1/watch?secret=app`, {
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, 'X-Pannier-Token': token } }),
    });
    onTestFinished(() => source.close());
    source.addEventListener('secret', ({ data }) =>
      heard.push((JSON.parse(data) as { fields: { password: string } }).fields.password),
    );
    await eventually(() => expect(heard).toEqual(['1']));
    await writePassword(at, '2');
    await eventually(() => expect(heard).toEqual(['1', '2']));
    first.kill('SIGKILL');
    await first.ended;
    await writePassword(at, '3');
    scene.run(config);
    await eventually(() => expect(heard).toEqual(['1', '2', '3']));
    await writePassword(at, '4');
    await eventually(() => expect(heard).toEqual(['1', '2', '3', '4']));
  });

  it('a new configuration opens and closes listeners, and watchers on a listener that stays go on', async () => {
    const at = await place();
    await writeSecrets(at, { app: { password: '1' }, db: { password: '1' } });
    const secrets = { app: { key: 'app' }, db: { key: 'db' } };
    const other = join(at.dir, 'other.sock');
    const config = await at.config({ ...api(at), secrets });
    const agent = scene.run(config);
    await agent.waitFor('secret-changed', { count: 2 });
    const watching = execFile('curl', ['-sN', '--unix-socket', at.socket, 'http://localhost/v1/watch?secret=app']);
    onTestFinished(() => void watching.kill());
    let events = '';
    watching.stdout?.on('data', (chunk) => {
      events += chunk;
    });
    await eventually(() => expect(events).toContain('"password":"1"'));
    await at.config({
      backends: fileBackend,
      secrets,
      api: { listeners: [{ socket: at.socket, secrets: ['app'] }, { socket: other }] },
    });
    expect(await at.curl('/v1/config/reload', '-X', 'POST')).toEqual([200, '{"applied":true}\n']);
    expect((await at.curl('/v1/secrets/db'))[0]).toBe(404);
    expect((await stat(other)).isSocket()).toBe(true);
    await writeSecrets(at, { app: { password: '2' }, db: { password: '2' } });
    await eventually(() => expect(events).toContain('"password":"2"'));
    await at.config({ backends: fileBackend, secrets, api: { socket: at.socket, secrets: ['nope'] } });
    agent.kill('SIGHUP');
    await agent.waitFor('config-rejected');
    const [, status] = await at.curl('/v1/status', '--unix-socket', other);
    expect(statusSchema.parse(JSON.parse(status)).configuration.refused).toMatchObject([
      { code: 'CONFIG_UNKNOWN_SECRET' },
    ]);
    await at.config({ ...api(at), secrets });
    agent.kill('SIGHUP');
    // The number of facts is not known: a watched file may cause the same configuration to be applied once more.
    await eventually(() => expect(existsSync(other)).toBe(false));
    expect(await at.curl('/v1/secrets/db/password')).toEqual([200, '2']);
  });

  it('health names what is wrong, but not over a listener that shows some secrets only', async () => {
    const at = await place();
    await writePassword(at, '1');
    const some = join(at.dir, 'some.sock');
    const agent = scene.run(
      await at.config({
        backends: fileBackend,
        secrets: { app: { key: 'app' }, hidden: { key: 'hidden' } },
        api: { listeners: [{ socket: at.socket }, { socket: some, secrets: ['app'] }] },
      }),
    );
    await agent.waitFor('secret-failed');
    const [status, body] = await at.curl('/readyz');
    expect([status, body]).toEqual([503, expect.stringContaining('secrets.hidden')]);
    const [same, counted] = await at.curl('/readyz', '--unix-socket', some);
    expect([same, JSON.parse(counted)]).toMatchObject([503, { status: 'failing', problems: [], moreProblems: 1 }]);
  });

  it('status says that the pid of an output belongs to a younger process', async () => {
    const at = await place();
    await writePassword(at, '1');
    const { pidFile } = await scene.application(at.dir);
    await utimes(pidFile, 1_000_000_000, 1_000_000_000);
    const reload = [{ signal: { name: 'HUP', pidFile } }];
    const config = outputsOf(at.dir, { shop: { reload, reloadOnFirst: true } });
    const agent = scene.run(await at.config({ ...config, api: { socket: at.socket } }));
    await agent.waitFor('reload-failed');
    const { outputs } = statusSchema.parse(JSON.parse((await at.curl('/v1/status'))[1]));
    expect(outputs).toMatchObject([{ name: 'shop', state: 'owed', failure: { code: 'RELOAD_PID_REUSED' } }]);
  });

  it('reloads an output on request, and answers with the result; stops the agent where that is allowed', async () => {
    const at = await place();
    await writePassword(at, '1');
    const mark = join(at.dir, 'reloaded');
    const reload = (argv: string[]) => [{ command: { argv } }];
    const config = await at.config({
      ...outputsOf(at.dir, {
        good: { reload: reload(['/bin/sh', '-c', `echo x >> ${mark}`]) },
        bad: { reload: reload(['/bin/false']) },
      }),
      api: { socket: at.socket, control: true },
    });
    const agent = scene.run(config);
    await agent.waitFor('output-published', { count: 2 });
    await eventually(async () => expect((await at.curl('/v1/outputs/good/reload', '-X', 'POST'))[0]).toBe(200));
    expect((await stat(mark)).size).toBe(2);
    const [status, body] = await at.curl('/v1/outputs/bad/reload', '-X', 'POST');
    expect([status, JSON.parse(body)]).toMatchObject([
      502,
      { code: 'RELOAD_COMMAND_FAILED', output: { state: 'owed', generation: 1 } },
    ]);
    expect((await at.curl('/v1/outputs/none/reload', '-X', 'POST'))[0]).toBe(404);
    expect(await at.curl('/v1/stop', '-X', 'POST')).toEqual([202, '{"stopping":true}\n']);
    expect(await agent.ended).toBe(0);
  });
});

describe('the socket of the API', () => {
  it('is taken over from a dead agent, and not from a running one', async () => {
    const at = await place();
    await writePassword(at, '1');
    const config = await at.config(api(at));
    const dead = scene.run(config);
    await ready(dead);
    dead.kill('SIGKILL');
    await dead.ended;
    expect((await stat(at.socket)).isSocket()).toBe(true);
    await ready(scene.run(config));
    expect(await at.curl('/v1/secrets/app/password')).toEqual([200, '1']);
    const second = await runAgent(['run', '-c', config]);
    expect([second.status, second.stderr()]).toEqual([1, expect.stringContaining('LISTEN_IN_USE')]);
    expect(await at.curl('/v1/secrets/app/password')).toEqual([200, '1']);
  });

  it('makes its directory, and leaves it when the agent ends', async () => {
    const at = await place();
    await writePassword(at, '1');
    const agent = scene.run(await at.config(api(at, { socket: join(at.dir, 'made/api.sock'), mode: '0660' })));
    await ready(agent);
    expect((await stat(join(at.dir, 'made'))).mode & 0o7777).toBe(0o710);
    expect(await agent.stop()).toBe(0);
    expect(await readdir(join(at.dir, 'made'))).toEqual([]);
  });

  it.each([
    [
      'in a directory whose parent is missing',
      'none/run/api.sock',
      /none does not exist.*\(LISTEN_FAILED\)\. Make .*none:/,
    ],
    ['where a file is', 'pannier.json', /LISTEN_OCCUPIED/],
    ['with too long a path', `${'x'.repeat(110)}`, /is too long: .*LISTEN_FAILED.*at most 107 bytes/],
  ])('%s is refused at the start', async (_, socket, says) => {
    const at = await place();
    await writePassword(at, '1');
    const { status, stderr } = await runGet(['run', '-c', await at.config(api(at, { socket: join(at.dir, socket) }))]);
    expect([status, stderr]).toEqual([1, expect.stringMatching(says)]);
    expect(stderr).toContain('api');
  });

  it('on a port that is in use is refused', async () => {
    const at = await place();
    await writePassword(at, '1');
    await writeFile(join(at.dir, 'token'), 't');
    const port = await findFreePort();
    const taken = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => void taken.close());
    const config = await at.config({ ...api(at), api: { listen: `127.0.0.1:${port}`, tokenFile: './token' } });
    const { status, stderr } = await runGet(['run', '-c', config]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('LISTEN_IN_USE')]);
  });
});

describe('over OpenBao', () => {
  const world = useWorld();

  it('status has the login, and a refresh brings a value that was written a moment ago', async () => {
    const at = await place();
    await world().putSecret('app', { password: 'one' });
    const agent = scene.run(
      await at.config({
        backends: { bao: baoOf(world()) },
        secrets: { app: { kv: 'secret/shop/app' } },
        api: { socket: at.socket },
      }),
    );
    await ready(agent);
    const { backends } = statusSchema.parse(JSON.parse((await at.curl('/v1/status'))[1]));
    expect(backends).toMatchObject([{ name: 'bao', kind: 'vault', login: { method: 'kubernetes', state: 'live' } }]);
    expect(backends[0]?.login?.endsAt).toMatch(/^\d{4}-/);
    await world().putSecret('app', { password: 'two' });
    const [status, body] = await at.curl('/v1/secrets/app/refresh', '-X', 'POST');
    expect([status, JSON.parse(body)]).toMatchObject([200, { changed: true, version: expect.any(String) }]);
    expect(await at.curl('/v1/secrets/app/password')).toEqual([200, 'two']);
    expect((await at.curl('/secretsmanager/get?secretId=app'))[0]).toBe(200);
  });
});

async function etag(at: Api): Promise<string> {
  const { stdout } = await promisify(execFile)('curl', [
    '-sI',
    '--unix-socket',
    at.socket,
    'http://localhost/v1/secrets/app',
  ]);
  return /^etag: (.*)\r$/im.exec(stdout)?.[1] ?? '';
}

async function runGet(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const agent = await runAgent(args, { env });
  return { status: agent.status, stdout: agent.stdout(), stderr: agent.stderr() };
}
