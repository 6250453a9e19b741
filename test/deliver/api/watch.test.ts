import { describe, expect, it } from 'vitest';
import { MAX_BYTES_IN_FLIGHT } from '../../../src/deliver/api/in-flight.ts';
import { dial } from '../http/listener.helpers.ts';
import { apiWorld } from './api.helpers.ts';
import { brief, watch } from './watch.helpers.ts';

describe('watching', () => {
  it('begins with the present values, goes on with each change, and sends what a read would answer', async () => {
    const { backend, start, manager, path, get } = await apiWorld(['app', 'db']);
    backend.set('app', { password: '1' });
    backend.set('db', { password: 'x' });
    await start();
    const all = await watch(path, '/v1/watch');
    const one = await watch(path, '/v1/watch?secret=app');
    expect(all.status).toBe(200);
    const [first] = await one.first(1);
    expect(first?.data).toEqual(JSON.parse((await get('/v1/secrets/app')).body));
    expect((await all.first(2)).map(({ event, data }) => [event, data['name']])).toEqual([
      ['secret', 'app'],
      ['secret', 'db'],
    ]);

    backend.set('db', { password: 'y' });
    await manager.refresh('db');
    await manager.refresh('app');
    backend.set('app', { password: '2' });
    await manager.refresh('app');
    expect((await all.first(4)).slice(2).map(({ event, data }) => [event, data['name'], data['fields']])).toEqual([
      ['secret', 'db', { password: 'y' }],
      ['secret', 'app', { password: '2' }],
    ]);
    expect((await one.first(2)).map(({ data }) => data['fields'])).toEqual([{ password: '1' }, { password: '2' }]);
    expect((await get('/v1/secrets/app')).headers['etag']).toBe(`"${one.events[1]?.id}"`);
    expect(one.events.length).toBe(2);
  });

  it('sends states beside values: stale with its reason, fresh again, absent', async () => {
    const { backend, start, manager, path } = await apiWorld(['app', 'db']);
    backend.set('app', { password: '1' });
    await start();
    backend.answers.set('app', 'BACKEND_TIMEOUT');
    await manager.refresh('app');
    const client = await watch(path, '/v1/watch');
    const begin = await client.first(3);
    expect(begin.map(({ event, data }) => [event, data['name'], data['state'], data['code']])).toEqual([
      ['secret', 'app', undefined, undefined],
      ['state', 'db', 'absent', 'SECRET_NOT_FOUND'],
      ['state', 'app', 'stale', 'BACKEND_TIMEOUT'],
    ]);
    backend.set('app', { password: '1' });
    backend.set('db', { password: '1' });
    await manager.refresh('app');
    await manager.refresh('db');
    const more = (await client.first(5)).slice(3);
    expect(more.map(({ event, data }) => [event, data['name'], data['state']])).toEqual([
      ['state', 'app', 'fresh'],
      ['secret', 'db', undefined],
    ]);
  });

  it('resumes after Last-Event-ID; an id of another start, of the future or malformed gets everything', async () => {
    const { backend, start, manager, path } = await apiWorld(['app', 'db']);
    for (const name of ['app', 'db']) backend.set(name, { password: '1' });
    await start();
    const before = await watch(path, '/v1/watch');
    const [, last] = await before.first(2);
    before.close();
    backend.set('app', { password: '2' });
    await manager.refresh('app');
    backend.set('app', { password: '3' });
    await manager.refresh('app');
    const resumed = await watch(path, '/v1/watch', { 'Last-Event-ID': last?.id });
    const [missed] = await resumed.first(1);
    expect([missed?.data['name'], missed?.data['fields']]).toEqual(['app', { password: '3' }]);
    await resumed.heard('retry');
    for (const id of ['other-1', 'boot-99999', 'boot-', 'boot-1x', '7', '']) {
      const anew = await watch(path, '/v1/watch', { 'Last-Event-ID': id });
      expect((await anew.first(2)).map(({ data }) => data['name']).sort()).toEqual(['app', 'db']);
    }
    expect(resumed.events.map(brief)).toEqual([brief(missed as never)]);
  });

  it('sends a comment every 15 s as a heartbeat', async () => {
    const { start, path, clock } = await apiWorld(['app']);
    await start();
    const client = await watch(path, '/v1/watch');
    await client.heard('retry: 1000\n\n');
    await clock.advance(14_000);
    expect(client.raw()).not.toContain(':\n\n');
    await clock.advance(2_000);
    await client.heard('\n:\n\n');
    await clock.advance(15_000);
    await client.heard(':\n\n:\n\n');
  });

  it('goes on over a new configuration, and ends when that no longer shows one of its secrets', async () => {
    const { backend, start, manager, path, use, facts } = await apiWorld(['app', 'db']);
    for (const name of ['app', 'db']) backend.set(name, { password: '1' });
    await start();
    const app = await watch(path, '/v1/watch?secret=app');
    const both = await watch(path, '/v1/watch?secret=app&secret=db');
    const all = await watch(path, '/v1/watch');
    await Promise.all([app.first(1), both.first(2), all.first(2)]);
    await use({ secrets: ['app'] });
    await both.ended();
    expect(both.events.at(-1)).toMatchObject({ event: 'end' });
    backend.set('app', { password: '2' });
    backend.set('db', { password: '2' });
    await manager.refresh('app');
    await manager.refresh('db');
    expect((await app.first(2)).map(({ data }) => data['fields'])).toEqual([{ password: '1' }, { password: '2' }]);
    expect((await all.first(3)).at(-1)?.data['name']).toBe('app');
    await use({});
    expect((await all.first(4)).at(-1)?.data).toMatchObject({ name: 'db', fields: { password: '2' } });
    expect(facts.filter(({ kind }) => kind === 'task-crashed')).toEqual([]);
  });

  it('cuts off a reader that takes nothing, buffers no values for it, and delays no other reader', async () => {
    const { backend, start, manager, path, clock, listener, get } = await apiWorld(['app']);
    const big = (n: number) => ({ password: `${n}`.padEnd(1_000_000, 'x') });
    backend.set('app', big(0));
    await start();
    for (let readers = 1; readers <= 10; readers++) {
      const slow = await dial(path);
      slow.pause();
      slow.write('GET /v1/watch HTTP/1.1\r\nHost: x\r\n\r\n');
    }
    const quick = await dial(path);
    let seen = 0;
    quick.on('data', (chunk: Buffer) => {
      seen += chunk.length;
    });
    quick.write('GET /v1/watch HTTP/1.1\r\nHost: x\r\n\r\n');
    await untilTrue(() => seen > 1_000_000);
    const before = process.memoryUsage().rss;
    for (let n = 1; n <= 100; n++) {
      backend.set('app', big(n));
      await manager.refresh('app');
      await untilTrue(() => seen > (n + 1) * 1_000_000);
    }
    // Buffers for each of ten readers would hold a thousand values.
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(300);
    expect(listener.connections).toBe(11);
    await clock.advance(31_000);
    await untilTrue(() => listener.connections === 1);
    expect((await get('/v1/secrets')).status).toBe(200);
  });

  it('cuts off the readers of the oldest values when all readers together hold too much', async () => {
    const { backend, start, manager, path, listener, audits } = await apiWorld(['app'], { audit: 'all' });
    backend.set('app', { password: ''.padEnd(1_000_000, '0') });
    await start();
    for (let n = 1; n <= 40; n++) {
      const slow = await dial(path);
      slow.pause();
      slow.write('GET /v1/watch HTTP/1.1\r\nHost: x\r\n\r\n');
      await untilTrue(() => audits().length === n);
      backend.set('app', { password: `${n}`.padEnd(1_000_000, 'x') });
      await manager.refresh('app');
    }
    await untilTrue(() => listener.connections <= MAX_BYTES_IN_FLIGHT / 1_000_000);
    expect(listener.connections).toBeGreaterThan(10);
    const quick = await watch(path, '/v1/watch');
    expect((await quick.first(1))[0]?.data['name']).toBe('app');
  });

  it('gives a slow reader the newest value when it goes on, and none in between', async () => {
    const { backend, start, manager, path, clock } = await apiWorld(['app']);
    const big = (n: number) => ({ password: `${n}`.padEnd(1_000_000, 'x') });
    backend.set('app', big(0));
    await start();
    const slow = await dial(path);
    slow.pause();
    slow.write('GET /v1/watch HTTP/1.1\r\nHost: x\r\n\r\n');
    for (let n = 1; n <= 20; n++) {
      backend.set('app', big(n));
      await manager.refresh('app');
      await clock.advance(1_000);
    }
    let text = '';
    slow.on('data', (chunk) => {
      text += chunk;
    });
    slow.resume();
    await untilTrue(() => text.includes('"20x'));
    expect(text.match(/event: secret/g)?.length).toBeLessThanOrEqual(3);
  });
});

async function untilTrue(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
