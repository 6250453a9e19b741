import { describe, expect, it } from 'vitest';
import { settle } from '../../fake-clock.ts';
import { apiWorld } from './api.helpers.ts';

describe('a request for a refresh', () => {
  it('fetches once for all that come meanwhile, and says whether the value has changed', async () => {
    const { backend, start, get, clock } = await apiWorld(['app']);
    backend.set('app', { password: '1' });
    await start();
    const refresh = () => get('/v1/secrets/app/refresh', {}, 'POST');
    backend.set('app', { password: '2' });
    backend.latencyMs = 100;
    const answers = Promise.all(Array.from({ length: 5 }, refresh));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await clock.advance(100);
    await clock.advance(100);
    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(backend.fetchesOf('app')).toBe(3); // the first request began one fetch, the others share the next
    expect((await answers).map(({ body }) => JSON.parse(body))).toContainEqual(
      expect.objectContaining({ name: 'app', state: 'fresh', changed: true }),
    );
    backend.latencyMs = 0;
    const again = await refresh();
    expect(JSON.parse(again.body)).toMatchObject({ changed: false });
    expect(again.headers['etag']).toBe((await get('/v1/secrets/app')).headers['etag']);
  });

  it('keeps the good value after a failure, and tells the failure and the state', async () => {
    const { backend, start, get } = await apiWorld(['app', 'db']);
    backend.set('app', { password: '1' });
    await start();
    backend.answers.set('app', 'SECRET_DENIED');
    const failed = await get('/v1/secrets/app/refresh', {}, 'POST');
    expect([failed.status, failed.headers['pannier-state'], failed.headers['age']]).toEqual([502, 'stale', '0']);
    expect(JSON.parse(failed.body)).toMatchObject({ code: 'SECRET_DENIED', state: 'stale', place: 'secrets.app.key' });
    expect((await get('/v1/secrets/app/password')).body).toBe('1');
    const none = await get('/v1/secrets/db/refresh', {}, 'POST');
    expect([none.status, JSON.parse(none.body).state]).toEqual([502, 'absent']);
  });

  it('is answered 200 only after a fetch that began after it came', async () => {
    const { backend, start, get } = await apiWorld(['app']);
    backend.set('app', { password: '0' });
    await start();
    for (let i = 1; i <= 5; i++) {
      backend.set('app', { password: String(i) });
      const { status, body } = await get('/v1/secrets/app/refresh', {}, 'POST');
      expect([status, JSON.parse(body).changed]).toEqual([200, true]);
      expect((await get('/v1/secrets/app/password')).body).toBe(String(i));
    }
  });

  it('fetches a lease at most once a second, for all that came before the fetch began', async () => {
    const { backend, start, get, clock } = await apiWorld(['db']);
    backend.mint('db', 3_600_000);
    await start();
    await clock.advance(2_000);
    const refresh = () => get('/v1/secrets/db/refresh', {}, 'POST');
    expect((await refresh()).status).toBe(200);
    const others = Promise.all(Array.from({ length: 10 }, refresh));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(backend.fetchesOf('db')).toBe(2);
    await clock.advance(1_000);
    expect((await others).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect([backend.fetchesOf('db'), (await get('/v1/secrets/db/password')).body]).toEqual([3, 'minted-3']);
  });

  it('is answered 504 when the fetch takes too long, which goes on', async () => {
    const { backend, start, get, clock } = await apiWorld(['app']);
    backend.set('app', { password: '1' });
    await start();
    backend.latencyMs = 60_000;
    backend.set('app', { password: '2' });
    const slow = get('/v1/secrets/app/refresh', {}, 'POST');
    while (backend.fetchesOf('app') < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await clock.advance(30_001);
    expect([(await slow).status, JSON.parse((await slow).body).state]).toEqual([504, 'fresh']);
    await clock.advance(30_000);
    await settle();
    expect((await get('/v1/secrets/app/password')).body).toBe('2');
  });
});

describe('an action on the whole agent', () => {
  it('is refused over a listener that does not allow it', async () => {
    const { start, get, done } = await apiWorld(['app'], { secrets: ['app'] });
    await start();
    for (const url of ['/v1/stop', '/v1/config/reload', '/v1/log/debug']) {
      const { status, body } = await get(url, {}, 'POST');
      expect([status, JSON.parse(body).code]).toEqual([403, 'API_NOT_ALLOWED']);
    }
    expect(done).toEqual([]);
  });

  it('may be a reload over a listener that shows all secrets, and a stop over one with control', async () => {
    const { start, get, done, use } = await apiWorld(['app']);
    await start();
    expect((await get('/v1/config/reload', {}, 'POST')).status).toBe(200);
    expect((await get('/v1/stop', {}, 'POST')).status).toBe(403);
    await use({ control: true, secrets: ['app'] });
    expect((await get('/v1/config/reload', {}, 'POST')).status).toBe(200);
    expect((await get('/v1/stop', {}, 'POST')).status).toBe(202);
    while (done.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(done).toEqual(['reload', 'reload', 'stop']);
  });
});

describe('the level of the log', () => {
  it('may be one that tells more, over a listener that shows all secrets or has control, and is in the audit', async () => {
    const { start, get, facts, use } = await apiWorld(['app']);
    await start();
    const ask = async (level: string) => {
      const { status, body } = await get(`/v1/log/${level}`, {}, 'POST');
      return [status, JSON.parse(body)];
    };
    expect(await ask('debug')).toEqual([200, { level: 'debug', configured: 'info' }]);
    expect(await ask('configured')).toEqual([200, { level: 'info', configured: 'info' }]);
    await use({ control: true, secrets: ['app'] });
    expect(await ask('trace')).toEqual([200, { level: 'trace', configured: 'info' }]);
    const audited = facts.filter((fact) => fact.kind === 'api-audit').map(({ action, outcome }) => [action, outcome]);
    expect(audited).toEqual(Array(3).fill(['log-level', 'done']));
  });

  it('is never one that tells less than the configuration says, nor any other word', async () => {
    const { start, get } = await apiWorld(['app']);
    await start();
    for (const [level, seen] of [
      ['warn', 'the log tells at least what info has'],
      ['silent', 'the log tells at least what info has'],
      ['verbose', 'there is no such level'],
    ]) {
      const { status, body } = await get(`/v1/log/${level}`, {}, 'POST');
      const { code, detail, hint } = JSON.parse(body);
      expect([status, code, detail]).toEqual([400, 'API_MALFORMED', seen]);
      expect(hint).toBe('Ask for configured, or for trace, debug, info.');
    }
  });
});
