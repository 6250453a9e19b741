import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createPlace, type Place, startAgent } from './agent.helpers.ts';
import { fileBackend, writePassword } from './file-backend.helpers.ts';
import { runOnTerminal } from './terminal.helpers.ts';

let place: Place;
beforeEach(async () => {
  place = await createPlace();
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

const VALUE = 's3cr3t-on-the-terminal';

async function fileConfig(more: object = {}): Promise<string> {
  await writePassword(place, VALUE);
  const files = { 'a.json': { format: 'json', from: 'app' }, 'b.json': { format: 'json', from: 'app' } };
  return await place.config({
    backends: fileBackend,
    secrets: { app: { key: 'app' } },
    outputs: { shop: { dir: './shop', files }, one: { dir: './one', files: { 'a.json': files['a.json'] } } },
    ...more,
  });
}

describe('init on a terminal', () => {
  it('reads as sentences with the hint on a line of its own, and ends with what it did', async () => {
    const config = await fileConfig();
    const { status, stdout, written, screen } = await runOnTerminal(['init', '-c', config]);
    expect([status, stdout]).toEqual([0, '']);
    expect(screen[0]).toMatch(/^\d\d:\d\d:\d\d pannier \S+ init: 1 secret, 2 outputs$/);
    expect(screen.join('\n')).not.toMatch(/[{}]/);
    expect(screen.slice(-3).map((line) => line.replace(/^\d\d:\d\d:\d\d /, '').replace(/in \d+m?s:/, 'in N:'))).toEqual(
      [
        'done in N: 2 outputs published, 0 unchanged',
        `         2 files published in ${join(place.dir, 'shop')}`,
        `         1 file published in ${join(place.dir, 'one')}`,
      ],
    );
    expect(written).toContain('\x1b[');
    expect(written).not.toContain(VALUE);
    const again = await runOnTerminal(['init', '-c', config], { NO_COLOR: '1' });
    expect(again.screen.slice(-2)).toEqual([
      `         unchanged: ${join(place.dir, 'shop')}`,
      `         unchanged: ${join(place.dir, 'one')}`,
    ]);
    expect(again.written).not.toContain('\x1b');
  });

  it('is JSON when log.format says so', async () => {
    const { screen } = await runOnTerminal(['init', '-c', await fileConfig({ log: { format: 'json' } })]);
    for (const line of screen) expect(() => JSON.parse(line)).not.toThrow();
  });

  it('is JSON in a pipe, with the same end as fields', async () => {
    const agent = startAgent(['init', '-c', await fileConfig()]);
    expect(await agent.ended).toBe(0);
    expect(agent.facts('init-done')).toEqual([
      expect.objectContaining({
        level: 'info',
        published: 2,
        unchanged: 0,
        durationMs: expect.any(Number),
        outputs: [
          { output: 'shop', dir: join(place.dir, 'shop'), files: 2 },
          { output: 'one', dir: join(place.dir, 'one'), files: 1 },
        ],
      }),
    ]);
  });
});

describe('an agent that takes long to answer', () => {
  it.each(['rollback', 'resume'])('is waited for with a line on the terminal by %s', async (command) => {
    const socket = join(place.dir, 'slow.sock');
    const server = createServer((connection) => {
      connection.on('error', () => {});
      connection.once('data', () => setTimeout(() => connection.destroy(), 3_000).unref());
    }).listen(socket);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const config = await fileConfig({ api: { socket } });
    const { status, written, screen } = await runOnTerminal([command, 'shop', '-c', config], { NO_COLOR: '1' });
    expect(status).not.toBe(0);
    expect(written).toContain(`waiting for ${socket}: ${command}, the answer`);
    expect(screen.join('\n')).not.toContain('waiting for');
  });
});

describe('a backend that takes connections and never answers', () => {
  async function hungConfig(): Promise<{ config: string; port: number }> {
    const server = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await writeFile(join(place.dir, 'token'), 'made-up');
    await mkdir(join(place.dir, 'out'), { mode: 0o700 });
    const auth = { method: 'kubernetes', role: 'shop', tokenFile: './token' };
    const config = await place.config({
      backends: { bao: { kind: 'vault', address: `http://127.0.0.1:${port}`, auth } },
      secrets: { app: { kv: 'secret/shop/app' } },
      outputs: { shop: { dir: './out', files: { f: { format: 'json', from: 'app' } } } },
      api: { socket: './absent.sock' },
    });
    return { config, port };
  }

  it.each([
    ['init', ['init', '--timeout', '2500ms']],
    ['render', ['render', '--timeout', '2500ms']],
  ])('is named on the terminal while %s waits, and the line is gone at the end', async (_, args) => {
    const { config, port } = await hungConfig();
    const { status, written, screen } = await runOnTerminal([...args, '-c', config], { NO_COLOR: '1' });
    expect(status).toBe(3);
    expect(written).toContain(`waiting for bao (127.0.0.1:${port}): login, the answer`);
    expect(screen.join('\n')).not.toContain('waiting for bao (');
    expect(screen.at(-1)).toMatch(/^(?:init|render): secrets\.app\.kv: no answer has come yet/);
  });

  it('is named nowhere in a pipe', async () => {
    const { config } = await hungConfig();
    const agent = startAgent(['init', '--timeout', '1500ms', '-c', config]);
    expect(await agent.ended).toBe(3);
    expect(agent.output()).not.toContain('waiting for');
    expect(agent.output().replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});
