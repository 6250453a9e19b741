import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ask, dial, rest } from '../http/listener.helpers.ts';
import { apiWorld } from './api.helpers.ts';
import { watch } from './watch.helpers.ts';

describe('the limits of a listener of the API', () => {
  it('1,000 idle connections neither stop it nor stay open', async () => {
    const { start, path, listener, get, backend } = await apiWorld(['app']);
    backend.set('app', { password: '1' });
    await start();
    const idle: Socket[] = [];
    for (let i = 0; i < 1_000; i++) {
      const socket = await dial(path);
      socket.write('GET /v1/secrets/app/password HTTP/1.1\r\nHost: x\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve));
      idle.push(socket);
    }
    expect(listener.connections).toBeLessThanOrEqual(256);
    expect((await get('/v1/secrets/app/password')).body).toBe('1');
    expect(idle.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(256);
  });

  it('health is answered even when watchers take all connections', async () => {
    const { start, path, get, backend, listener } = await apiWorld(['app']);
    backend.set('app', { password: '1' });
    await start();
    const watchers = await Promise.all(Array.from({ length: 256 }, () => watch(path, '/v1/watch')));
    await Promise.all(watchers.map((one) => one.first(1)));
    const refused = await get('/v1/secrets');
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    expect((await ask(path, '/ping')).body).toBe('healthy');
    watchers[0]?.close();
    while (listener.connections > 255) await new Promise((resolve) => setTimeout(resolve, 1));
    expect((await get('/v1/secrets')).status).toBe(200);
  });

  it('a connection that sends too far ahead of its answers is closed', async () => {
    const { start, path, listener } = await apiWorld(['app']);
    await start();
    const greedy = await dial(path);
    const ended = rest(greedy);
    greedy.write('GET /v1/secrets/app?wait=60s HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(200));
    expect(await ended).toBe('');
    while (listener.connections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it('a long poll whose client leaves keeps nothing', async () => {
    const { start, path, listener, clock, backend } = await apiWorld(['app']);
    backend.set('app', { password: '1' });
    await start();
    const before = clock.waiting;
    const { headers } = await ask(path, '/v1/secrets/app');
    const socket = await dial(path);
    socket.write(`GET /v1/secrets/app?wait=60s HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${headers['etag']}\r\n\r\n`);
    while (clock.waiting === before) await new Promise((resolve) => setTimeout(resolve, 1));
    socket.destroy();
    while (listener.connections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(clock.waiting).toBe(before);
  });
});
