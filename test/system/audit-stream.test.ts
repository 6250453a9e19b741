import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, type LogLine } from './agent.helpers.ts';
import { get } from './observe.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();

async function setUp(log: object) {
  const place = await scene.place();
  writeFileSync(join(place.dir, 'secrets.json'), '{"app": {"x": "1"}}');
  const api = join(place.dir, 'api.sock');
  const parts = {
    backends: { demo: { kind: 'file', path: './secrets.json' } },
    secrets: { app: { key: 'app' } },
    outputs: { o: { dir: join(place.dir, 'o'), files: { f: { content: '{{app.x}}' } } } },
    api: { socket: api, audit: 'all' },
    admin: { socket: join(place.dir, 'admin.sock') },
    exec: { command: ['sleep', '1000'] },
  };
  const write = (more: object) => place.config({ ...parts, log: more });
  const read = async () =>
    expect((await get(api, '/v1/secrets/app', { 'X-Pannier-Request': 'true' })).status).toBe(200);
  return { dir: place.dir, config: await write(log), write, read };
}

const factsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine)
    .map(({ fact, audit }) => `${fact}${audit === true ? ' (audit)' : ''}`);

/** A program that reads lines from a socket. */
async function listen(path: string) {
  const sockets: Socket[] = [];
  let text = '';
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return scene.keep({
    facts: () => factsOf(text),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  });
}

describe('the audit', () => {
  it('goes to a socket, waits for a reader that is away, and moves with the configuration', async () => {
    const { dir, config, write, read } = await setUp({ level: 'error', auditTo: 'unix:///nowhere/audit.sock' });
    const path = join(dir, 'audit.sock');
    const agent = scene.run(config);
    await eventually(read);
    const first = await listen(path);
    await write({ level: 'error', auditTo: `unix://${path}` });
    await eventually(async () => {
      await read();
      expect(first.facts()).toContain('api-audit (audit)');
    });
    await first[Symbol.asyncDispose]();
    await read();
    const next = await listen(path);
    await eventually(() => expect(next.facts()).toContain('api-audit (audit)'), 40_000);
    await write({ auditFile: './audit.log' });
    await eventually(async () => {
      await read();
      expect(factsOf(readFileSync(join(dir, 'audit.log'), 'utf8'))).toContain('api-audit (audit)');
    });
    expect(await agent.stop()).toBe(0);
    expect(new Set(next.facts())).toEqual(new Set(['api-audit (audit)']));
  });

  it('goes to a pipe or to a socket as standard output, which has nothing else', async () => {
    for (const under of [[], ['/bin/sh', '-c', '"$@" | cat', 'sh']]) {
      const { config, read } = await setUp({ auditTo: 'stdout' });
      const agent = scene.run(config, { under });
      await eventually(read);
      await eventually(() => expect(new Set(factsOf(agent.stdout()))).toEqual(new Set(['api-audit (audit)'])));
      expect(agent.facts('api-audit')).toEqual([]);
      expect(agent.facts('agent-warning')).toEqual([]);
      const { pid } = agent;
      process.kill(under.length === 0 ? pid : childOf(pid), 'SIGTERM');
      expect(await agent.ended).toBe(0);
    }
  });

  it('is not lost when its standard output is a socket that the child of exec has too: it is in the log', async () => {
    const { config, read } = await setUp({ auditTo: 'stdout' });
    const agent = scene.exec(config, ['sleep', '1000']);
    const warning = await agent.waitFor('agent-warning', { fits: ({ code }) => code === 'LOG_AUDIT' });
    expect(warning).toMatchObject({ place: 'log.auditTo' });
    await eventually(read);
    await agent.waitFor('api-audit');
    await agent.stop();
    expect(agent.stdout()).toBe('');
  });

  it('does not hold up its clients when its reader hangs, and says at its end how many lines are lost', async () => {
    const { dir, write, read } = await setUp({});
    const path = join(dir, 'audit.sock');
    const server = createServer((socket) => void socket.pause());
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const agent = scene.run(await write({ auditTo: `unix://${path}` }));
    await eventually(read);
    // More than a socket holds, and less than what is left out of the audit.
    for (let i = 0; i < 18; i++) await Promise.all(Array.from({ length: 50 }, read));
    expect(agent.facts('agent-warning')).toEqual([]);
    expect((await get(join(dir, 'admin.sock'), '/metrics')).body).toMatch(/^pannier_audit_lines_lost_total 0$/m);
    expect(await agent.stop()).toBe(0);
    const inLog = agent.facts('api-audit').length;
    expect(inLog).toBeGreaterThan(100);
    const lost = agent.facts('audit-lost');
    expect(lost[0]).toMatchObject({ level: 'warn', code: 'LOG_AUDIT', lines: 1 });
    expect(lost.reduce((sum, { lines }) => sum + Number(lines), 0)).toBeLessThanOrEqual(inLog);
    server.close();
  });
});

/** The first child of a process: the program in a pipeline of a shell. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}
