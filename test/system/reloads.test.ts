import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { reply, startFaultServer } from '../faults/fault-server.ts';
import { eventually, type LogLine } from './agent.helpers.ts';
import { published, useScene } from './openbao.helpers.ts';

const scene = useScene();
const CANARY = 'c4n4ry';

/** A place with a file backend whose `app` a test can change, and an output with these reloads. */
async function setUp(reload: readonly object[]) {
  const place = await scene.place();
  const put = (fields: object) => writeFileSync(join(place.dir, 'secrets.json'), JSON.stringify({ app: fields }));
  put({ password: 'one', token: `${CANARY}-1` });
  const dir = join(place.dir, 'o');
  const config = await place.config({
    log: { level: 'trace', format: 'json' },
    backends: { demo: { kind: 'file', path: './secrets.json' } },
    secrets: { app: { key: 'app' }, admin: { key: 'app' } },
    outputs: { o: { dir, files: { f: { content: '{{app.password}}' } }, reload } },
  });
  return { put, dir, config };
}

describe('a reload by HTTP', () => {
  it('is tried again until the application accepts it; a new value that only a header uses causes no reload', async () => {
    await using server = await startFaultServer(reply(503, CANARY));
    const headers = { Authorization: 'Bearer {{admin.token}}' };
    const { put, dir, config } = await setUp([{ http: { url: `${server.address}/-/reload`, expect: [200], headers } }]);
    const agent = scene.run(config, { env: { DEBUG: '*', NODE_DEBUG: 'http,https,net,tls,stream' } });
    await agent.waitFor('output-published');
    put({ password: 'two', token: `${CANARY}-2` });
    const failed = await agent.waitFor('reload-failed');
    expect(failed).toMatchObject({ code: 'RELOAD_HTTP_STATUS', seen: `HTTP 503 from ${server.address}`, step: 'http' });
    server.answer(reply(200, CANARY));
    await agent.waitFor('reload-done');
    expect(published(dir)).toEqual({ f: 'two' });
    expect(server.requests.at(-1)?.headers['authorization']).toBe(`Bearer ${CANARY}-2`);
    const before = server.requests.length;
    put({ password: 'two', token: `${CANARY}-3` });
    await agent.waitFor('output-unchanged');
    expect(server.requests).toHaveLength(before);
    expect(await agent.stop()).toBe(0);
    expect(agent.output()).not.toContain(CANARY);
  });
});

describe('a reload by the name of a process', () => {
  /** An application with a name of its own, which records each SIGHUP, and a worker of the same name. */
  async function startNamed(dir: string, name: string) {
    const program = join(dir, name);
    if (!existsSync(program)) copyFileSync('/bin/sh', program);
    const loop = (who: string) => `trap 'echo ${who} >> ${program}.signals' HUP; while :; do sleep 0.02; done`;
    const script = `("${program}" -c "${loop('worker')}") & echo up; ${loop('master')}`;
    const child = spawn(program, ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const { pid = 0 } = child;
    scene.keep({
      async [Symbol.asyncDispose]() {
        if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
      },
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const file = `${program}.signals`;
    return { pid, signals: () => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '') };
  }

  it('signals the master alone, waits while there is no process, and refuses several; each step is reported', async () => {
    const name = `app${process.pid}`;
    await using server = await startFaultServer(reply(204));
    const { put, dir, config } = await setUp([
      { http: { url: server.address } },
      { signal: { name: 'HUP', process: name } },
    ]);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    put({ password: 'two' });
    await agent.waitFor('reload-failed', { fits: ({ code }) => code === 'RELOAD_NO_PROCESS' });
    const app = await startNamed(dir, name);
    const done = await agent.waitFor('reload-done');
    await eventually(() => expect(app.signals()).toBe('master'));
    expect(done).toMatchObject({ generation: 2, steps: 2 });
    const steps = agent.facts('reload-step').map(({ step, how, code }) => [step, how, code]);
    expect(steps.slice(0, 2)).toEqual([
      [1, 'http', undefined],
      [2, 'signal', 'RELOAD_NO_PROCESS'],
    ]);
    expect(steps.slice(-1)).toEqual([[2, 'signal', undefined]]);
    expect(server.requests).toHaveLength(1);

    const other = await startNamed(dir, name);
    put({ password: 'three' });
    const several = await agent.waitFor('reload-failed', { fits: ({ code }) => code === 'RELOAD_SEVERAL_PROCESSES' });
    expect(several['seen']).toBe(`2 processes are named ${name}`);
    await pause(100);
    expect(app.signals()).toBe('master');
    process.kill(-other.pid, 'SIGKILL');
    await agent.waitFor('reload-done', { count: 2 });
    await eventually(() => expect(app.signals()).toBe('master\nmaster'));
  });
});

describe('reloads of a running agent', () => {
  it('a step that is done is not run again while a later one fails, nor by the next agent', async () => {
    const record = join((await scene.place()).dir, 'record');
    const restart = { command: { argv: ['sh', '-c', `echo restarted >> ${record}`] } };
    const notify = { command: { argv: ['sh', '-c', `test -e ${record}.ready`] } };
    const { put, dir, config } = await setUp([restart, notify]);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    put({ password: 'two' });
    await agent.waitFor('reload-failed', { count: 3 });
    agent.kill('SIGKILL');
    await agent.ended;
    const next = scene.run(config);
    await next.waitFor('reload-failed', { count: 2 });
    writeFileSync(`${record}.ready`, '');
    await next.waitFor('reload-done');
    expect(published(dir)).toEqual({ f: 'two' });
    expect(readFileSync(record, 'utf8')).toBe('restarted\n');
    expect(await next.stop()).toBe(0);
  });

  it('an application that was reloaded is not reloaded again when a directory is in the place of the mark', async () => {
    const record = join((await scene.place()).dir, 'record');
    const { put, dir, config } = await setUp([{ command: { argv: ['sh', '-c', `echo done >> ${record}`] } }]);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    rmSync(join(dir, '..reloaded'));
    mkdirSync(join(dir, '..reloaded'));
    put({ password: 'two' });
    const failed = await agent.waitFor('output-failed', { count: 3 });
    expect(failed).toMatchObject({ code: 'OUTPUT_OCCUPIED', output: 'o' });
    expect(readFileSync(record, 'utf8')).toBe('done\n');
    expect(agent.facts('reload-failed')).toEqual([]);
    rmSync(join(dir, '..reloaded'), { recursive: true });
    await eventually(() => existsSync(join(dir, '..reloaded')));
    expect(await agent.stop()).toBe(0);
  });

  it('a pid file that appears ends the backoff, which was long by then', async () => {
    const pidFile = join((await scene.place()).dir, 'app.pid');
    const { put, config } = await setUp([{ signal: { name: 'HUP', pidFile } }]);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    put({ password: 'two' });
    const isLong = ({ retryInMs }: LogLine) => Number(retryInMs) > 3_000;
    const { retryInMs } = await agent.waitFor('reload-failed', { fits: isLong, withinMs: 60_000 });
    const began = performance.now();
    const app = spawn('sleep', ['60']);
    writeFileSync(pidFile, `${app.pid}\n`);
    await agent.waitFor('reload-done');
    expect(performance.now() - began).toBeLessThan(Number(retryInMs));
    app.kill('SIGKILL');
    expect(await agent.stop()).toBe(0);
  }, 90_000);

  it('a background process of a reload command outlives the agent; its standard error is logged where configured', async () => {
    const record = join((await scene.place()).dir, 'record');
    const leaves = { command: { argv: ['sh', '-c', `sleep 60 & echo $! > ${record}`] } };
    const fails = { command: { argv: ['sh', '-c', 'echo why it failed >&2; exit 1'], captureOutput: true } };
    const { put, config } = await setUp([leaves, fails]);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    put({ password: 'two' });
    expect(await agent.waitFor('reload-output')).toMatchObject({ lines: ['why it failed'], output: 'o' });
    expect(await agent.stop()).toBe(0);
    const pid = Number(readFileSync(record, 'utf8'));
    expect(process.kill(pid, 'SIGKILL')).toBe(true);
  });
});
