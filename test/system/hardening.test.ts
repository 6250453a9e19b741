import { execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createPlace, eventually, type Place, runAgent } from './agent.helpers.ts';
import { fileBackend, writePassword } from './file-backend.helpers.ts';

const VALUE = 'kanarienvogel-in-the-heap';
const BIN = resolve('dist/pannier.js');

let place: Place;
beforeEach(async () => {
  place = await createPlace();
  await writePassword(place, VALUE);
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

const config = (more: object = {}) =>
  place.config({ backends: fileBackend, secrets: { app: { key: 'app' } }, api: { socket: './api.sock' }, ...more });

const execConfig = () => config({ exec: { env: { PASS: '{{app.password}}' } } });

const filterOf = (pid: number | 'self') => Number.parseInt(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8'), 16);

describe('the memory of the agent', () => {
  it('is in no core dump of it', async () => {
    const cwd = join(place.dir, 'cores');
    await mkdir(cwd);
    // `ulimit` as an administrator sets it who wants core dumps.
    const argv = [
      'sh',
      '-c',
      'ulimit -c unlimited; exec "$@"',
      'sh',
      process.execPath,
      BIN,
      'run',
      '-c',
      await config(),
    ];
    const agent = spawn(argv[0] as string, argv.slice(1), { cwd, env: { PATH: '/usr/bin:/bin' }, stdio: 'ignore' });
    onTestFinished(() => void agent.kill('SIGKILL'));
    const get = () =>
      promisify(execFile)(process.execPath, [BIN, 'get', 'app.password', '--socket', join(place.dir, 'api.sock')]);
    await eventually(async () => expect((await get()).stdout).toBe(VALUE));
    expect(filterOf(agent.pid as number)).toBe(0);
    const ended = new Promise((resolve) => agent.once('exit', (_, signal) => resolve(signal)));
    agent.kill('SIGABRT');
    expect(await ended).toBe('SIGABRT');
    // Elsewhere the kernel gives a dump to a program, which the mask holds for as well.
    for (const name of readdirSync(cwd)) expect(readFileSync(join(cwd, name)).includes(VALUE), name).toBe(false);
  });

  it('is its own affair: a child has the core dumps that it would have without the agent', async () => {
    const command = ['sh', '-c', 'sleep 0.3; cat /proc/self/coredump_filter'];
    const agent = await runAgent(['exec', '-c', await execConfig(), '--', ...command]);
    expect(Number.parseInt(agent.stdout(), 16)).toBe(filterOf('self'));
  });
});

describe('options of Node in the environment', () => {
  it('that load code, open the inspector or write memory do not apply to the agent, and its child gets them', async () => {
    const module = join(place.dir, 'loaded.cjs');
    await writeFile(module, 'setInterval(() => {}, 1e9).unref(); globalThis.loaded = true;');
    const heap = `--heapsnapshot-signal=SIGUSR2 --require=${module} --max-old-space-size=200 --report_on_signal`;
    const child =
      'echo "$NODE_OPTIONS"; tr "\\0" "\\n" < /proc/$PPID/environ | grep ^NODE_OPTIONS; echo "$PANNIER_NODE_OPTIONS"';
    const agent = await runAgent(['exec', '-c', await execConfig(), '--', 'sh', '-c', child], {
      env: { NODE_OPTIONS: heap },
    });
    expect(agent.stdout()).toBe(`${heap}\nNODE_OPTIONS=--max-old-space-size=200\n\n`);
    expect(agent.facts('agent-warning')).toMatchObject([{ code: 'AGENT_NODE_OPTIONS', place: 'NODE_OPTIONS' }]);
    expect(agent.status).toBe(0);
  });

  it('that do neither stay as they are, and the agent starts once', async () => {
    const options = '--max-old-space-size=200  --dns-result-order=ipv4first';
    const command = ['sh', '-c', 'tr "\\0" "\\n" < /proc/$PPID/environ | grep ^NODE_OPTIONS'];
    const agent = await runAgent(['exec', '-c', await execConfig(), '--', ...command], {
      env: { NODE_OPTIONS: options },
    });
    expect(agent.stdout()).toBe(`NODE_OPTIONS=${options}\n`);
    expect(agent.facts('agent-warning')).toEqual([]);
  });
});

describe('everything that the agent makes', () => {
  it('is private under any umask', async () => {
    const path = await config({
      outputs: { shop: { dir: './out/shop', files: { f: { format: 'json', from: 'app' } } } },
      state: { path: './state', keyEnv: 'PANNIER_STATE_KEY' },
      log: { file: './pannier.log' },
    });
    const argv = ['sh', '-c', 'umask 0; exec "$@"', 'sh', process.execPath, BIN, 'run', '-c', path];
    const agent = spawn(argv[0] as string, argv.slice(1), {
      env: { PATH: '/usr/bin:/bin', PANNIER_STATE_KEY: 'k'.repeat(40) },
      stdio: 'ignore',
    });
    onTestFinished(() => void agent.kill('SIGKILL'));
    await eventually(() => {
      statSync(join(place.dir, 'api.sock'));
      statSync(join(place.dir, 'state'));
      statSync(join(place.dir, 'out/shop/f'));
    });
    // An agent of another user asks `..owner` whether its owner lives; it tells no more than that.
    const open = readdirSync(place.dir, { recursive: true, encoding: 'utf8' })
      .filter((name) => basename(name) !== '..owner')
      .filter((name) => !/^(?:pannier\.json|secrets\.json|out$)/.test(name))
      .filter((name) => {
        const stat = statSync(join(place.dir, name));
        return (stat.mode & 0o077) !== 0;
      });
    expect(open).toEqual([]);
  });
});

describe("Node's permission model", () => {
  it('holds an agent that serves values and publishes no files, with the flags of docs/security.md', async () => {
    const page = readFileSync('docs/security.md', 'utf8');
    const [flags = ''] = /--permission[^\n]*/.exec(page) ?? [];
    expect(flags).toContain('--allow-fs-read=/usr/lib/node_modules/pannier');
    const dir = join(place.dir, 'run');
    await mkdir(dir, { mode: 0o700 });
    const own = flags
      .replace(/ dist.*| \/usr\/.*pannier\.js.*| \S*pannier\.js.*/, '')
      .replaceAll('/usr/lib/node_modules/pannier', resolve('dist'))
      .replaceAll('/etc/pannier', place.dir)
      .replaceAll('/run/pannier', dir);
    const path = await config({ api: { socket: './run/api.sock' } });
    const agent = spawn(process.execPath, [...own.split(' '), BIN, 'run', '-c', path], { env: {}, stdio: 'ignore' });
    onTestFinished(() => void agent.kill('SIGKILL'));
    const get = () =>
      promisify(execFile)(process.execPath, [BIN, 'get', 'app.password', '--socket', join(dir, 'api.sock')]);
    await eventually(async () => expect((await get()).stdout).toBe(VALUE));
  });
});
