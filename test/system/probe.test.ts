import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../servers/free-port.ts';
import { type Agent, eventually, runAgent } from './agent.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();

/** An agent over the file backend whose output waits for the secret `late`, until `arrive` is called. */
async function setUp(more: object = {}) {
  const place = await scene.place();
  const path = join(place.dir, 'secrets.json');
  const write = (secrets: object) => writeFileSync(path, JSON.stringify(secrets));
  write({ app: { password: 'c4n4ry' } });
  const socket = join(place.dir, 'api.sock');
  const config = await place.config({
    backends: { demo: { kind: 'file', path } },
    secrets: { app: { key: 'app' }, late: { key: 'late' } },
    outputs: { shop: { dir: join(place.dir, 'out'), files: { f: { content: '{{app.password}} {{late.x}}' } } } },
    api: { socket },
    ...more,
  });
  return { place, socket, config, arrive: () => write({ app: { password: 'c4n4ry' }, late: { x: '1' } }) };
}

const probe = (check: string, args: readonly string[], env: Record<string, string> = {}) =>
  runAgent(['probe', check, ...args], { env });

const code = ({ stderr }: Agent) => /\(([A-Z_]+)\)/.exec(stderr())?.[1];

describe('pannier probe', () => {
  it('ends with 1 and a line for each problem, and with 0 and no output when all is well', async () => {
    const { socket, config, arrive } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-waiting');
    const before = await probe('ready', ['--socket', socket]);
    expect([before.status, before.stdout()]).toEqual([1, '']);
    expect(before.stderr().split('\n').sort().slice(1)).toEqual([
      'outputs.shop: the output waits for late (OUTPUT_WAITING). See the state of its secrets.',
      expect.stringMatching(/^secrets\.late\.key: .* \(SECRET_NOT_FOUND\)\. /),
    ]);
    expect((await probe('startup', ['--socket', socket])).status).toBe(1);
    expect((await probe('live', ['--socket', socket])).status).toBe(0);
    arrive();
    await agent.waitFor('output-published');
    for (const check of ['startup', 'ready', 'live']) {
      const { status, output } = await probe(check, ['--socket', `unix://${socket}`]);
      expect([check, status, output()]).toEqual([check, 0, '']);
    }
  });

  it.each([
    ['status', []],
    ['get', ['app']],
  ])('%s says that a configuration has no API, and sends no request', async (command, args) => {
    const { config } = await setUp({ api: undefined, admin: { listen: '127.0.0.1:1' } });
    const { status, stderr } = await runAgent([command, ...args, '-c', config]);
    expect([status, stderr()]).toEqual([
      2,
      expect.stringMatching(/^api: .*no section api \(CONFIG_MISSING\)\. Add api: /),
    ]);
  });

  it('finds the agent by PANNIER_SOCKET, a port, and the configuration: the admin listener first', async () => {
    const port = await findFreePort();
    const { socket, config, arrive } = await setUp({ admin: { listen: `0.0.0.0:${port}` } });
    arrive();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    expect((await probe('ready', [], { PANNIER_SOCKET: socket })).status).toBe(0);
    expect((await probe('ready', [], { PANNIER_SOCKET: `127.0.0.1:${port}` })).status).toBe(0);
    expect((await probe('ready', ['--socket', `localhost:${port}`, '--timeout', '9s'])).status).toBe(0);
    for (const [args, env] of [
      [['-c', config], {}],
      [[], { PANNIER_CONFIG: config }],
    ] as const) {
      expect((await probe('ready', args, env)).status).toBe(0);
    }
  });

  it('finds the agent of the pannier.yaml in the working directory, as status does', async () => {
    const { place, config, arrive } = await setUp();
    arrive();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    renameSync(config, join(place.dir, 'pannier.yaml'));
    for (const command of [['probe', 'ready'], ['status']])
      expect((await runAgent(command, { cwd: place.dir })).status).toBe(0);
  });

  it('a socket without a listener, or with another server, is 1', async () => {
    const { place } = await setUp();
    const none = await probe('live', ['--socket', join(place.dir, 'none')]);
    expect([none.status, code(none)]).toEqual([1, 'AGENT_UNREACHABLE']);
    const other = createServer((_request, response) => response.end('hello'));
    scene.keep({ [Symbol.asyncDispose]: async () => void other.close() });
    const answers = async (handle: (path: string) => string) => {
      other.removeAllListeners('request');
      other.on('request', ({ url }, response) => {
        response.statusCode = 503;
        response.end(handle(url ?? ''));
      });
      return await probe('live', ['--socket', join(place.dir, 'other')]);
    };
    await new Promise<void>((done) => other.listen(join(place.dir, 'other'), done));
    for (const body of ['', 'no', '{}', '[]', '{"problems":1}', '{"problems":[null]}']) {
      const answered = await answers(() => body);
      expect([answered.status, code(answered)]).toEqual([1, 'AGENT_ANSWER']);
    }
    const silent = await probe('live', ['--socket', join(place.dir, 'silent'), '--timeout', '100ms']);
    expect(silent.status).toBe(1);
    other.removeAllListeners('request');
    const hung = await probe('live', ['--socket', join(place.dir, 'other'), '--timeout', '200ms']);
    expect([hung.status, code(hung)]).toEqual([1, 'AGENT_SILENT']);
  });

  it.each([
    ['another check', ['nope']],
    ['none', []],
    ['an unknown option', ['live', '--sock', 'x']],
    ['a socket without a path', ['live', '--socket']],
    ['a configuration that is not there', ['live', '-c', '/nonexistent.json']],
  ])('%s is 2', async (_, args) => {
    expect((await runAgent(['probe', ...args])).status).toBe(2);
  });
});

describe('pannier status', () => {
  it('shows secrets and outputs as a table, and as the document of the API', async () => {
    const { socket, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-waiting');
    const shown = await runAgent(['status', '-c', config]);
    expect(shown.status).toBe(0);
    const rows = shown
      .stdout()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows.find(([name]) => name === 'app')?.[1]).toBe('fresh');
    expect(rows.find(([name]) => name === 'late')?.[1]).toBe('absent');
    expect(rows.find(([name]) => name === 'shop')).toEqual(expect.arrayContaining(['waiting', 'waits for late']));
    const json = await runAgent(['status', '--json', '--socket', socket]);
    const document = JSON.parse(json.stdout());
    expect(document.secrets.map(({ name, state }: Record<string, string>) => [name, state])).toEqual([
      ['app', 'fresh'],
      ['late', 'absent'],
    ]);
    expect(shown.output() + json.output()).not.toContain('c4n4ry');
  });

  it('--watch without a terminal appends changes, says when the agent is gone, and ends at SIGINT with 0', async () => {
    const { socket, config, arrive } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-waiting');
    const watching = spawn(process.execPath, ['dist/pannier.js', 'status', '--watch', '--socket', socket]);
    let text = '';
    watching.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    const ended = new Promise((done) => watching.once('close', done));
    try {
      const count = () => text.match(/^pannier /gm)?.length ?? 0;
      await eventually(() => expect(count()).toBe(1));
      await pause(1_500);
      expect(count()).toBe(1);
      arrive();
      await agent.waitFor('output-published');
      await eventually(() => expect(text).toMatch(/^shop +settled/m));
      await agent.stop();
      await eventually(() => expect(text).toContain('(AGENT_UNREACHABLE)'));
      expect(text).not.toContain('\x1b');
      watching.kill('SIGINT');
      expect(await ended).toBe(0);
    } finally {
      watching.kill('SIGKILL');
    }
  });

  it('an agent that does not run is a failure', async () => {
    const { place } = await setUp();
    const gone = await runAgent(['status', '--socket', join(place.dir, 'none')]);
    expect([gone.status, code(gone)]).toEqual([1, 'AGENT_UNREACHABLE']);
  });
});
