import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Value } from '../../../src/base/value.ts';
import { secretStatusSchema } from '../../../src/deliver/api/status.ts';
import { settle } from '../../fake-clock.ts';
import { answerOf, apiWorld, text } from './api.helpers.ts';

const codeOf = (body: string) => (JSON.parse(body) as { code: string }).code;

describe('reading a secret', () => {
  it('gives its fields as JSON: numbers as the backend spelt them, bytes as base64 with their places', async () => {
    const { backend, start, get } = await apiWorld(['app']);
    const tree = new Map<string, Value>([
      ['big', Secret.number('9007199254740993')],
      ['list', [Secret.bytes(Uint8Array.of(0xff, 0)), Secret.null()]],
      ['a/b~c', Secret.bytes(Uint8Array.of(0xfe))],
    ]);
    backend.answers.set(
      'app',
      answerOf({ password: text('hunter2'), price: Secret.number('1.10'), tree, ['__proto__']: text('x') }, '7'),
    );
    await start();
    const { status, headers, body } = await get('/v1/secrets/app');
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json', 'no-store']);
    expect(body).toBe(
      '{"name":"app","version":"7","fields":{"password":"hunter2","price":1.10,' +
        '"tree":{"big":9007199254740993,"list":["/wA=",null],"a/b~c":"/g=="},"__proto__":"x"},' +
        '"base64":["/tree/list/0","/tree/a~1b~0c"]}\n',
    );
  });

  it('gives one field as its exact bytes, and a nested one as JSON', async () => {
    const { backend, start, get, path } = await apiWorld(['app']);
    const bytes = Uint8Array.of(0, 0xff, 0x0a);
    backend.answers.set(
      'app',
      answerOf({ key: Secret.bytes(bytes), 'a.b/c': text('ä\n'), list: [Secret.number('1.0')] }),
    );
    await start();
    const key = await fetchBytes(path, '/v1/secrets/app/key');
    expect([key.type, [...key.bytes]]).toEqual(['application/octet-stream', [...bytes]]);
    expect((await get('/v1/secrets/app/a.b%2Fc')).body).toBe('ä\n');
    const list = await get('/v1/secrets/app/list');
    expect([list.headers['content-type'], list.body]).toEqual(['application/json', '[1.0]']);
    expect((await get('/v1/secrets/app/nope')).status).toBe(404);
    expect(codeOf((await get('/v1/secrets/app/toString')).body)).toBe('API_UNKNOWN_FIELD');
  });

  it('has an ETag that changes only with the value, and answers 304 to a client that knows it', async () => {
    const { backend, start, get, manager, clock } = await apiWorld(['app', 'db']);
    backend.set('app', { password: '1' });
    backend.set('db', { password: '1' });
    await start();
    const first = (await get('/v1/secrets/app')).headers['etag'] as string;
    expect(first).toMatch(/^"boot-\d+"$/);
    expect((await get('/v1/secrets/app/password')).headers['etag']).toBe(first);
    expect((await get('/v1/secrets/db')).headers['etag']).not.toBe(first);
    for (const known of [first, `W/${first}`, `"other", ${first}`, '*']) {
      const same = await get('/v1/secrets/app', { 'If-None-Match': known });
      expect([same.status, same.body, same.headers['etag'], same.headers['pannier-state']]).toEqual([
        304,
        '',
        first,
        'fresh',
      ]);
    }
    backend.answers.set('app', 'BACKEND_TIMEOUT');
    await manager.refresh('app');
    await clock.advance(2_000);
    expect((await get('/v1/secrets/app')).headers['etag']).toBe(first);
    backend.set('app', { password: '2' });
    await manager.refresh('app');
    const second = await get('/v1/secrets/app', { 'If-None-Match': first });
    expect([second.status, second.headers['etag'] === first]).toEqual([200, false]);
  });

  it('tells in headers the state of the value, and the seconds since it was last known good', async () => {
    const { backend, start, get, manager, clock } = await apiWorld(['app']);
    backend.set('app', { password: '1' });
    await start();
    const told = async () => {
      const { status, headers } = await get('/v1/secrets/app');
      return [status, headers['pannier-state'], headers['age']];
    };
    expect(await told()).toEqual([200, 'fresh', '0']);
    await clock.advance(7_900);
    expect(await told()).toEqual([200, 'fresh', '7']);
    backend.answers.set('app', 'BACKEND_TIMEOUT');
    await manager.refresh('app');
    expect(await told()).toEqual([200, 'stale', '7']);
    const lease = backend.lease(60_000, false);
    backend.set('app', { password: '2' }, lease);
    await manager.refresh('app');
    backend.answers.set('app', 'BACKEND_TIMEOUT');
    await clock.advance(61_000);
    expect(await told()).toEqual([200, 'expired', '61']);
  });

  it('answers 503 with Retry-After while there is no value, and 404 for an optional one that is absent', async () => {
    const { backend, start, get, clock } = await apiWorld(['app', 'optional-x']);
    backend.latencyMs = 10;
    backend.answers.set('app', 'BACKEND_UNREACHABLE');
    await start();
    const waiting = await get('/v1/secrets/app');
    expect([waiting.status, waiting.headers['pannier-state'], codeOf(waiting.body)]).toEqual([
      503,
      'waiting',
      'SECRET_NEVER_FETCHED',
    ]);
    expect(waiting.headers['content-type']).toBe('application/problem+json');
    await clock.advance(20);
    const failed = await get('/v1/secrets/app/password');
    expect([failed.status, failed.headers['pannier-state'], codeOf(failed.body)]).toEqual([
      503,
      'absent',
      'BACKEND_UNREACHABLE',
    ]);
    expect(Number(failed.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const absent = await get('/v1/secrets/optional-x');
    expect([absent.status, absent.headers['pannier-state'], codeOf(absent.body)]).toEqual([
      404,
      'absent',
      'SECRET_NOT_FOUND',
    ]);
  });

  it('has the same answer for a secret that is not configured and one that the listener does not show', async () => {
    const { backend, start, get } = await apiWorld(['app', 'db'], { secrets: ['app'] });
    backend.set('app', { password: '1' });
    backend.set('db', { password: '1' });
    await start();
    // The answers may differ in the name that was asked for, and so in their length.
    const shown = async (path: string, name: string, method?: string) => {
      const { status, body, headers } = await get(`/v1/secrets/${path}`, {}, method);
      const plain = body.replace(JSON.stringify(JSON.stringify(name)).slice(1, -1), 'NAME');
      return [status, plain, { ...headers, date: '', 'content-length': '' }];
    };
    const first = await shown('nope', 'nope');
    expect([first[0], first[1]]).toEqual([404, expect.stringContaining('there is no secret named NAME')]);
    const others = [
      ['db', 'db'],
      ['db/password', 'db'],
      ['%00', '\0'],
      ['..', '..'],
    ] as const;
    for (const [path, name] of others) expect(await shown(path, name)).toEqual(first);
    const { secrets } = JSON.parse((await get('/v1/secrets')).body) as { secrets: { name: string }[] };
    expect(secrets.map(({ name }) => name)).toEqual(['app']);
    expect((await get('/v1/status')).body).not.toContain('db');
    for (const url of ['/v1/watch?secret=app&secret=db', '/v1/watch?secret=nope'])
      expect((await get(url)).status).toBe(404);
    for (const name of ['db', 'nope']) expect(await shown(`${name}/refresh`, name, 'POST')).toEqual(first);
  });

  it('lists all secrets without values', async () => {
    const { backend, start, get } = await apiWorld(['app', 'optional-x']);
    backend.set('app', { password: 's3cr3t' });
    await start();
    const { body } = await get('/v1/secrets');
    const { secrets } = JSON.parse(body) as { secrets: unknown[] };
    expect(secrets.map((one) => secretStatusSchema.parse(one))).toMatchObject([
      { name: 'app', state: 'fresh', version: '1', ageSeconds: 0, life: 'none', kind: 'file' },
      { name: 'optional-x', state: 'absent', optional: true, failure: { code: 'SECRET_NOT_FOUND' } },
    ]);
    expect(body).not.toContain('s3cr3t');
  });
});

describe('a long poll', () => {
  it('waits for another value than the known one, and answers with it at once', async () => {
    const { backend, start, get, manager } = await apiWorld(['app']);
    backend.set('app', { password: '1' });
    await start();
    const { headers } = await get('/v1/secrets/app');
    const known = { 'If-None-Match': headers['etag'] as string };
    const waiting = get('/v1/secrets/app?wait=30s', known);
    await manager.refresh('app');
    backend.set('app', { password: '2' });
    await manager.refresh('app');
    expect([(await waiting).status, (await waiting).body.includes('"2"')]).toEqual([200, true]);
    expect((await get('/v1/secrets/app/password?wait=30s', known)).body).toBe('2');
    expect((await get('/v1/secrets/app?wait=30s')).status).toBe(200);
  });

  it('answers 304 when its time is over, and also waits for a first value', async () => {
    const { backend, start, get, clock, reconcile } = await apiWorld(['app', 'db']);
    backend.set('app', { password: '1' });
    reconcile(['app']);
    await settle();
    const { headers } = await get('/v1/secrets/app');
    let ended = 0;
    const late = get('/v1/secrets/app?wait=45s', { 'If-None-Match': headers['etag'] as string }).finally(() => ended++);
    const first = get('/v1/secrets/db?wait=45s').finally(() => ended++);
    const never = get('/v1/secrets/db/x?wait=1h').finally(() => ended++);
    await untilWaiting(clock, 4);
    await clock.advance(44_000);
    expect(ended).toBe(0);
    backend.set('db', { password: 'x' });
    await start();
    expect((await first).status).toBe(200);
    await clock.advance(2_000);
    expect((await late).status).toBe(304);
    expect((await never).status).toBe(404);
  });

  it.each(['30', '-1s', 'x', ''])('refuses wait=%s', async (wait) => {
    const { start, get } = await apiWorld(['app']);
    await start();
    expect((await get(`/v1/secrets/app?wait=${wait}`)).status).toBe(400);
  });
});

/** Resolves when a request waits, so that the clock may be moved: requests arrive over a socket. */
async function untilWaiting(clock: { readonly waiting: number }, timers: number): Promise<void> {
  while (clock.waiting < timers) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function fetchBytes(socketPath: string, path: string): Promise<{ type: string | undefined; bytes: Buffer }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false }, async (answer) => {
      resolve({ type: answer.headers['content-type'], bytes: Buffer.concat(await answer.toArray()) });
    });
    sent.on('error', reject).end();
  });
}
