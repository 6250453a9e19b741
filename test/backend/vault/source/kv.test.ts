import { describe, expect, test } from 'vitest';
import type { Fetched } from '../../../../src/backend/backend.ts';
import { answer, refuse, silence, unreachable } from '../auth/fake-vault.ts';
import { failureOf, held, never, plain, sourceWorld, wantOf } from './vault.helpers.ts';

const MOUNTS = 'GET sys/internal/ui/mounts/';
const version2 = { data: { path: 'secret/', type: 'kv', options: { version: '2' } } };
const version1 = { data: { path: 'secret/', type: 'kv', options: null } };

function v2(data: unknown, version = 3, created_time = '2026-01-01T00:00:00Z', more = {}) {
  return { data: { data, metadata: { version, created_time, deletion_time: '', destroyed: false, ...more } } };
}

/** A server with KV 2 at `secret/` that holds `shop/app`. */
function withVersion2() {
  const world = sourceWorld();
  world.server.on(`${MOUNTS}secret/shop/app`, () => answer(version2));
  world.server.on('GET secret/data/shop/app', () => answer(v2({ a: 'x' })));
  return world;
}

const denied = () => refuse(403, { errors: ['permission denied'] });

describe('KV version 2', () => {
  test.each(['secret/shop/app', 'secret/data/shop/app', '/secret/shop/app/'])('is read at %s', async (path) => {
    const { kv, server, paths } = withVersion2();
    server.on(`${MOUNTS}secret/data/shop/app`, () => answer(version2));
    const value = held(await kv(path));
    expect(plain(value.fields)).toEqual({ a: 'x' });
    expect(value).toMatchObject({ version: '3 2026-01-01T00:00:00Z', life: { kind: 'none' } });
    expect(paths().at(-1)).toBe('secret/data/shop/app');
    expect(server.calls.at(-1)).toMatchObject({ idempotent: true, token: expect.anything() });
  });

  test('reads a secret whose name begins with data/ when it is written twice', async () => {
    const { kv, server } = sourceWorld();
    server.on(`${MOUNTS}secret/data/data/x`, () => answer(version2));
    server.on('GET secret/data/data/x', () => answer(v2({ a: 1 })));
    expect(plain(held(await kv('secret/data/data/x')).fields)).toEqual({ a: '1' });
  });

  test.each([
    ['secret/data/x', { mount: 'secret' }, 'secret/data/data/x'],
    ['/data/x/', { mount: '/secret/' }, 'secret/data/data/x'],
    ['secret/data/x', { mount: 'secret', kvVersion: 2 }, 'secret/data/data/x'],
    ['data/x', { mount: 'secret', kvVersion: 2 }, 'secret/data/data/x'],
    ['secret/data/x', { kvVersion: 2 }, 'secret/data/x'],
    ['secret/data/x', { mount: 'secret', kvVersion: 1 }, 'secret/data/x'],
  ] as const)('takes what follows the mount that is named as a name: %s, %j', async (path, more, asked) => {
    const { kv, server, paths } = sourceWorld();
    server.on(`${MOUNTS}secret/data/x`, () => answer(version2));
    server.on('GET secret/data/data/x', () => answer(v2({ a: 'inner' })));
    server.on('GET secret/data/x', () => answer(v2({ a: 'outer' })));
    await kv(path, more);
    expect(paths().at(-1)).toBe(asked);
  });

  test('names a pinned version that is not there', async () => {
    const { kv, server } = withVersion2();
    server.on('GET secret/data/shop/app', () => refuse(404));
    await expect(kv('secret/shop/app', { version: 9 })).rejects.toMatchObject({
      failure: { code: 'SECRET_NOT_FOUND', seen: expect.stringMatching(/^version 9: HTTP 404/) },
    });
  });

  test('pins a version', async () => {
    const { kv, server } = withVersion2();
    await kv('secret/shop/app', { version: 3 });
    expect(server.calls.at(-1)?.query).toEqual({ version: '3' });
  });

  test.each([
    ['the same version', v2({ a: 'x' }), 'unchanged'],
    ['the next version', v2({ a: 'x' }, 4), 'changed'],
    ['version 1 again after a metadata delete', v2({ a: 'x' }, 3, '2026-02-02T00:00:00Z'), 'changed'],
    ['other fields in the same version', v2({ a: 'y' }), 'changed'],
  ])('with %s is %s', async (_, next, state) => {
    const { kv, server } = withVersion2();
    const last = held(await kv('secret/shop/app'));
    server.on('GET secret/data/shop/app', () => answer(next));
    expect((await kv('secret/shop/app', {}, last)).state).toBe(state);
  });

  test('an older version, as a standby server answers it, is no change back', async () => {
    const { server, backend, clock } = withVersion2();
    const want = wantOf({ kind: 'vault-kv', path: 'secret/shop/app' });
    const fetch = (last?: Fetched) => backend.source.fetch(want, last, never);
    const last = held(await fetch());
    const older = () => answer(v2({ a: 'old' }, 2, '2025-12-31T00:00:00Z'));
    const newer = () => answer(v2({ a: 'new' }, 4, '2026-01-02T00:00:00Z'));
    server.on('GET secret/data/shop/app', older);
    expect((await fetch(last)).state).toBe('unchanged');
    await clock.advance(59_000);
    expect((await fetch(last)).state).toBe('unchanged');
    server.on('GET secret/data/shop/app', newer);
    const next = held(await fetch(last));
    server.on('GET secret/data/shop/app', older);
    await clock.advance(2_000);
    expect((await fetch(next)).state).toBe('unchanged');
    // A server that was restored from a backup keeps answering the older version.
    await clock.advance(61_000);
    expect(plain(held(await fetch(next)).fields)).toEqual({ a: 'old' });
  });

  test('a smaller number with a later time is a new value: its metadata were deleted', async () => {
    const { kv, server } = withVersion2();
    const last = held(await kv('secret/shop/app'));
    server.on('GET secret/data/shop/app', () => answer(v2({ a: 'y' }, 1, '2026-01-01T00:00:01Z')));
    expect((await kv('secret/shop/app', {}, last)).state).toBe('changed');
  });

  test('with no fields is a value', async () => {
    const { kv, server } = withVersion2();
    server.on('GET secret/data/shop/app', () => answer(v2({})));
    expect(held(await kv('secret/shop/app')).fields.size).toBe(0);
  });

  test.each([
    ['deleted', v2(null, 3, 't', { deletion_time: '2026-01-02T00:00:00Z' }), 'SECRET_DELETED'],
    ['destroyed', v2(null, 3, 't', { destroyed: true, deletion_time: '2026' }), 'SECRET_DESTROYED'],
    ['not there', { errors: [] }, 'SECRET_NOT_FOUND'],
  ])('that is %s says so', async (_, body, code) => {
    const { kv, server } = withVersion2();
    server.on('GET secret/data/shop/app', () => refuse(404, body));
    expect(await failureOf(kv('secret/shop/app'))).toMatchObject({ code });
  });

  test.each([
    ['no map of fields', { data: { data: 'x', metadata: { version: 1, created_time: 't' } } }, 'BACKEND_MALFORMED'],
    ['a list of fields', { data: { data: [1], metadata: {} } }, 'BACKEND_MALFORMED'],
    ['no metadata', { data: { data: { a: 1 } } }, 'BACKEND_MALFORMED'],
    ['no data', { data: null }, 'BACKEND_MALFORMED'],
    ['null fields', v2(null), 'SECRET_EMPTY'],
  ])('answered with %s is refused', async (_, body, code) => {
    const { kv, server } = withVersion2();
    server.on('GET secret/data/shop/app', () => answer(body));
    expect(await failureOf(kv('secret/shop/app'))).toMatchObject({ code });
  });
});

describe('KV version 1', () => {
  function withVersion1(data: unknown) {
    const world = sourceWorld();
    world.server.on(`${MOUNTS}secret/app`, () => answer(version1));
    world.server.on('GET secret/app', () => answer({ lease_id: '', lease_duration: 2_764_800, data }));
    return world;
  }

  test('has no life, whatever lease_duration and a field named ttl say', async () => {
    const { kv } = withVersion1({ a: 'x', ttl: '1s' });
    expect(held(await kv('secret/app')).life).toEqual({ kind: 'none' });
  });

  test('is unchanged while its fields are equal, and has no version of its value', async () => {
    const { kv, server } = withVersion1({ a: 'x' });
    const first = held(await kv('secret/app'));
    expect((await kv('secret/app', {}, first)).state).toBe('unchanged');
    server.on('GET secret/app', () => answer({ data: { a: 'y' } }));
    const second = held(await kv('secret/app', {}, first));
    expect(second.version).not.toBe(first.version);
    expect(second.version).not.toContain('y');
  });

  test('reads a secret below a folder named data', async () => {
    const { kv, server } = sourceWorld();
    server.on(`${MOUNTS}secret/data/x`, () => answer(version1));
    server.on('GET secret/data/x', () => answer({ data: { a: 1 } }));
    expect(plain(held(await kv('secret/data/x')).fields)).toEqual({ a: '1' });
  });

  test.each([
    ['pinned', { version: 2 }, { a: 1 }, 'BACKEND_REJECTED'],
    ['without data', {}, null, 'SECRET_EMPTY'],
    ['with a list for data', {}, [1], 'BACKEND_MALFORMED'],
  ])('%s is refused', async (_, more, data, code) => {
    const { kv } = withVersion1(data);
    expect(await failureOf(kv('secret/app', more))).toMatchObject({ code });
  });
});

describe('the mount', () => {
  const many = Array.from({ length: 100 }, (_, i) => `secret/shop/${i}`);
  const answerAll = (world: ReturnType<typeof sourceWorld>) => {
    for (const [i, path] of many.entries()) {
      world.server.on(MOUNTS + path, () => answer(version2));
      world.server.on(`GET secret/data/shop/${i}`, () => answer(v2({ i })));
    }
    return world;
  };

  test('is asked about once for a hundred secrets that start together, and never again', async () => {
    const { kv, server } = answerAll(sourceWorld());
    await Promise.all(many.map((path) => kv(path)));
    await Promise.all(many.map((path) => kv(path)));
    expect(server.count('sys/internal/ui/mounts')).toBe(1);
    expect(server.count('secret/data/')).toBe(200);
  });

  test('is asked about once per mount below one first segment', async () => {
    const { kv, server } = sourceWorld();
    for (const team of ['a', 'b']) {
      for (const name of ['x', 'y']) {
        const body = { data: { path: `kv/${team}/`, type: 'kv', options: { version: team === 'a' ? '2' : '1' } } };
        server.on(`${MOUNTS}kv/${team}/${name}`, () => answer(body));
      }
      server.on('GET kv/a/data/x', () => answer(v2({ at: 'ax' })));
      server.on('GET kv/a/data/y', () => answer(v2({ at: 'ay' })));
      server.on('GET kv/b/x', () => answer({ data: { at: 'bx' } }));
      server.on('GET kv/b/y', () => answer({ data: { at: 'by' } }));
    }
    const fetched = await Promise.all(['kv/a/x', 'kv/b/x', 'kv/b/y', 'kv/a/y'].map((path) => kv(path)));
    expect(fetched.map((one) => plain(held(one).fields))).toEqual(['ax', 'bx', 'by', 'ay'].map((at) => ({ at })));
    expect(server.count('sys/internal/ui/mounts')).toBe(2);
  });

  test('of another engine is refused: reading it might mint', async () => {
    const { kv, server } = sourceWorld();
    server.on(`${MOUNTS}database/creds/shop`, () => answer({ data: { path: 'database/', type: 'database' } }));
    expect(await failureOf(kv('database/creds/shop'))).toMatchObject({
      code: 'SECRET_NOT_KV',
      hint: expect.stringContaining('read: database/creds/shop'),
    });
    expect(server.calls).toHaveLength(1);
  });

  test.each([
    ['a failure', unreachable, 'BACKEND_UNREACHABLE'],
    ['an answer without it', () => answer({ data: {} }), 'BACKEND_MALFORMED'],
    ['the mount of another path', () => answer({ data: { path: 'else/', type: 'kv' } }), 'BACKEND_MALFORMED'],
  ])('is asked about again after %s', async (_, broken, code) => {
    const { kv, server } = withVersion2();
    server.on(`${MOUNTS}secret/shop/app`, broken);
    expect(await failureOf(kv('secret/shop/app'))).toMatchObject({ code, place: expect.any(String) });
    server.on(`${MOUNTS}secret/shop/app`, () => answer(version2));
    expect((await kv('secret/shop/app')).state).toBe('changed');
  });

  test('that cannot be asked about now fails each secret at its own place', async () => {
    const { fetch, server } = sourceWorld();
    server.on(`${MOUNTS}secret/a`, unreachable);
    const failures = ['secrets.a', 'secrets.b'].map((place) =>
      failureOf(fetch({ kind: 'vault-kv', path: 'secret/a' }, undefined, place)),
    );
    expect((await Promise.all(failures)).map((failed) => failed?.place)).toEqual(['secrets.a', 'secrets.b']);
    expect(server.calls).toHaveLength(1);
  });

  test('is not asked about with mount and kvVersion', async () => {
    const { kv, server, paths } = sourceWorld();
    server.on('GET team/kv/data/x', () => answer(v2({ a: 1 })));
    server.on('GET team/kv/x', () => answer({ data: { a: 1 } }));
    await kv('team/kv/x', { mount: 'team/kv', kvVersion: 2 });
    await kv('x', { mount: 'team/kv/', kvVersion: 2 });
    await kv('x', { mount: 'team/kv', kvVersion: 1 });
    expect(paths()).toEqual(['team/kv/data/x', 'team/kv/data/x', 'team/kv/x']);
  });

  test('is asked about again when nothing is found there any more, but not at each poll', async () => {
    const { kv, server, clock } = withVersion2();
    await kv('secret/shop/app');
    server.on('GET secret/data/shop/app', () => refuse(404));
    for (let poll = 0; poll < 5; poll++) await failureOf(kv('secret/shop/app'));
    expect(server.count('sys/internal/ui/mounts')).toBe(1);
    await clock.advance(31_000);
    for (let poll = 0; poll < 5; poll++) await failureOf(kv('secret/shop/app'));
    expect(server.count('sys/internal/ui/mounts')).toBe(2);
    server.on(`${MOUNTS}secret/shop/app`, () => answer(version1));
    server.on('GET secret/shop/app', () => answer({ data: { a: 'moved' } }));
    await clock.advance(31_000);
    expect(plain(held(await kv('secret/shop/app')).fields)).toEqual({ a: 'moved' });
    expect(server.count('sys/internal/ui/mounts')).toBe(3);
  });

  test('that the server calls versioned now is asked about at once, and by one try only', async () => {
    const { kv, server } = sourceWorld();
    const warnings = [
      'Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints.',
    ];
    server.on(`${MOUNTS}secret/shop/app`, () => answer(version1));
    server.on('GET secret/shop/app', () => answer({ data: { a: 'x' } }));
    const last = held(await kv('secret/shop/app'));
    server.on('GET secret/shop/app', () => refuse(404, { errors: [], warnings }));
    expect(await failureOf(kv('secret/shop/app'))).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(server.count('sys/internal/ui/mounts')).toBe(2);
    server.on(`${MOUNTS}secret/shop/app`, () => answer(version2));
    server.on('GET secret/data/shop/app', () => answer(v2({ a: 'x' })));
    expect(plain(held(await kv('secret/shop/app', {}, last)).fields)).toEqual({ a: 'x' });
  });

  test('question of one secret that is dropped goes on for the others', async () => {
    const { kv, server, backend } = withVersion2();
    let tell = () => {};
    server.on(`${MOUNTS}secret/shop/app`, async () => {
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
      return answer(version2);
    });
    const dropped = new AbortController();
    const want = wantOf({ kind: 'vault-kv', path: 'secret/shop/app' });
    const first = failureOf(backend.source.fetch(want, undefined, dropped.signal));
    const second = kv('secret/shop/app');
    await new Promise((resolve) => setImmediate(resolve));
    dropped.abort();
    expect(await first).toMatchObject({ code: 'CANCELLED' });
    tell();
    expect((await second).state).toBe('changed');
    expect(server.count('sys/internal/ui/mounts')).toBe(1);
  });

  test('question ends when the backend closes', async () => {
    const { kv, server, backend } = sourceWorld();
    server.on(`${MOUNTS}secret/shop/app`, (_, signal) => silence(signal));
    const waiting = failureOf(kv('secret/shop/app'));
    await new Promise((resolve) => setImmediate(resolve));
    await backend[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ code: 'CANCELLED' });
    expect(server.disposed).toBe(1);
  });
});

describe('a server that does not tell its mounts', () => {
  function narrow() {
    const world = sourceWorld();
    world.server.on(`${MOUNTS}secret/app`, denied);
    return world;
  }

  test('is read with data/ after the first segment, and that is remembered', async () => {
    const { kv, server, paths } = narrow();
    server.on('GET secret/data/app', () => answer(v2({ a: 1 })));
    await kv('secret/app');
    await kv('secret/app');
    expect(paths()).toEqual(['sys/internal/ui/mounts/secret/app', 'secret/data/app', 'secret/data/app']);
  });

  test.each([
    ['403', denied],
    ['404', () => refuse(404)],
  ])('is read plainly after %s, and that is remembered', async (_, first) => {
    const { kv, server, paths } = narrow();
    server.on('GET secret/data/app', first);
    server.on('GET secret/app', () => answer({ data: { a: 1 } }));
    await kv('secret/app');
    await kv('secret/app');
    expect(paths().slice(1)).toEqual(['secret/data/app', 'secret/app', 'secret/app']);
  });

  test.each([
    ['denied both ways', 403, 403, 'SECRET_DENIED'],
    ['found in neither', 404, 404, 'SECRET_NOT_FOUND'],
    ['denied as version 1', 404, 403, 'SECRET_NOT_FOUND'],
    ['denied as version 2', 403, 404, 'SECRET_NOT_FOUND'],
  ])('tells that a secret is %s', async (_, asV2, asV1, code) => {
    const { kv, server } = narrow();
    server.on('GET secret/data/app', () => refuse(asV2));
    server.on('GET secret/app', () => refuse(asV1));
    expect(await failureOf(kv('secret/app'))).toMatchObject({ code });
  });

  test('is refused when it turns out to give leases there', async () => {
    const { kv, server } = narrow();
    server.on('GET secret/data/app', denied);
    server.on('GET secret/app', () => answer({ lease_id: 'x', lease_duration: 60, renewable: true, data: { a: 1 } }));
    for (let poll = 0; poll < 3; poll++) {
      expect(await failureOf(kv('secret/app'))).toMatchObject({ code: 'SECRET_NOT_KV', retry: 'never' });
    }
    expect(server.count('secret/app')).toBe(1);
  });

  test('recognises version 2 by a deleted version', async () => {
    const { kv, server } = narrow();
    server.on('GET secret/data/app', () => refuse(404, v2(null, 3, 't', { deletion_time: '2026' })));
    expect(await failureOf(kv('secret/app'))).toMatchObject({ code: 'SECRET_DELETED' });
    expect(server.count('secret/app')).toBe(0);
  });
});

test('a 404 says whether the mount or the secret is missing, where that is known', async () => {
  const { kv, server } = withVersion2();
  server.on('GET secret/data/shop/app', () => refuse(404));
  expect((await failureOf(kv('secret/shop/app')))?.hint).toContain('the secret does not');
  server.on(`${MOUNTS}nowhere/app`, denied);
  expect((await failureOf(kv('nowhere/app')))?.hint).toContain('is mounted there');
});
