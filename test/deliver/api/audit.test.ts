import { describe, expect, it } from 'vitest';
import type { Fact } from '../../../src/base/fact.ts';
import { Audit } from '../../../src/deliver/api/audit.ts';
import { FakeClock } from '../../fake-clock.ts';
import { apiWorld } from './api.helpers.ts';
import { watch } from './watch.helpers.ts';

const SECRET = 's3cr3t-canary';

async function world(audit: 'all' | 'changes' | 'off') {
  const made = await apiWorld(['app', 'optional-x'], { audit, secrets: ['app', 'optional-x'] });
  made.backend.set('app', { password: SECRET });
  await made.start();
  const told = () => made.audits().map(({ kind: _, audit: __, where: ___, ...rest }) => Object.values(rest).join(' '));
  return { ...made, told };
}

describe('audit lines', () => {
  it('show the first read of each value by secret and field, and never the value', async () => {
    const { get, told, backend, manager, path, audits, facts } = await world('changes');
    for (let i = 0; i < 3; i++) {
      await get('/v1/secrets/app');
      await get('/v1/secrets/app/password');
    }
    const { etag } = (await get('/v1/secrets/app')).headers;
    await get('/v1/secrets/app', { 'If-None-Match': etag });
    expect(told()).toEqual(['read done app 1', 'read done app password 1']);
    expect(audits()[0]).toEqual({
      kind: 'api-audit',
      audit: true,
      where: `unix://${path}`,
      action: 'read',
      outcome: 'done',
      secret: 'app',
      version: '1',
    });
    backend.set('app', { password: `${SECRET}-2` });
    await manager.refresh('app');
    await get('/v1/secrets/app');
    const client = await watch(path, '/v1/watch');
    await client.first(2);
    expect(told().slice(2)).toEqual(['read done app 2']);
    expect(JSON.stringify(facts)).not.toContain(SECRET);
  });

  it('of mode all show every read', async () => {
    const { get, told } = await world('all');
    for (let i = 0; i < 3; i++) await get('/v1/secrets/app');
    expect(told()).toEqual(['read done app 1', 'read done app 1', 'read done app 1']);
  });

  it('of mode off show no read, but every action', async () => {
    const { get, told, clock } = await world('off');
    await clock.advance(2_000);
    await get('/v1/secrets/app');
    await get('/v1/secrets/nope');
    await get('/v1/secrets/app/refresh', {}, 'POST');
    await get('/v1/stop', {}, 'POST');
    expect(told()).toEqual(['refresh done app', 'stop refused']);
  });

  it('of requests in vain come once in ten seconds with their number, and repeat nothing of the request', async () => {
    const { get, told, clock } = await world('changes');
    for (let i = 0; i < 5; i++) await get(`/v1/secrets/${SECRET}-${i}`);
    await get('/v1/secrets/optional-x');
    await get(`/v1/secrets/app/${SECRET}`);
    for (let i = 0; i < 5; i++) await get('/v1/secrets/app', { 'X-Forwarded-For': '1.2.3.4' });
    expect(told()).toEqual([
      'read unknown',
      'read absent optional-x',
      'read unknown app',
      'enter refused API_FORWARDED',
    ]);
    await clock.advance(10_000);
    expect(told().slice(4)).toEqual(['read unknown 4', 'enter refused API_FORWARDED 4']);
    await get('/v1/secrets/nope');
    expect(told().slice(6)).toEqual(['read unknown']);
    await clock.advance(60_000);
    expect(told().length).toBe(7);
  });

  it('of actions come ten times in ten seconds, then with their number, also at the end', async () => {
    const { get, told, clock, use } = await world('off');
    const stop = () => get('/v1/stop', {}, 'POST');
    for (let i = 0; i < 100; i++) await stop();
    expect(told()).toEqual(Array(10).fill('stop refused'));
    await clock.advance(10_000);
    expect(told().slice(10)).toEqual(['stop refused 90']);
    for (let i = 0; i < 12; i++) await stop();
    await use({});
    expect(told().slice(11)).toEqual([...Array(10).fill('stop refused'), 'stop refused 2']);
  });

  it('of mode all are 1,000 reads in ten seconds, and further ones are counted by secret', async () => {
    const clock = new FakeClock();
    const lines: Fact[] = [];
    using audit = new Audit('all', 'unix:///s', { clock, emit: (fact) => void lines.push(fact) });
    const value = { fields: new Map(), version: '1', life: { kind: 'none' } } as const;
    const held = { state: 'fresh', value, fetchedWallMs: 0, changedWallMs: 0, valueNumber: 1, stateNumber: 1 } as const;
    for (let i = 0; i < 1_500; i++) audit.read('read', 'app', i % 2 === 0 ? '' : 'password', held);
    expect(lines.length).toBe(1_000);
    await clock.advance(10_000);
    const line = { kind: 'api-audit', audit: true, where: 'unix:///s', action: 'read', outcome: 'done', secret: 'app' };
    expect(lines.slice(1_000)).toEqual([{ ...line, count: 500 }]);
    audit.read('read', 'app', '', held);
    expect(lines.at(-1)).toEqual({ ...line, version: '1' });
  });
});
