import { expect, test } from 'vitest';
import type { Fetch } from '../../../../src/backend/backend.ts';
import { answer, refuse, silence } from '../auth/fake-vault.ts';
import { failureOf, never, sourceWorld, wantOf } from './vault.helpers.ts';

const LIST = 'GET sys/internal/ui/mounts';
const LINE = 'Add to a policy of the login: path "x/a" { capabilities = ["read"] }';
const UNSEEN = /^The login sees no mount for this path/;
const denied = () => refuse(403, { errors: ['permission denied'] });
const mounts = (...names: string[]) =>
  answer({ data: { secret: Object.fromEntries(names.map((name) => [name, { type: 'kv', options: {} }])) } });

/** A backend in which `x/a` is denied; `list` answers for the mounts. */
function deniedWorld(list?: Parameters<ReturnType<typeof sourceWorld>['server']['on']>[1]) {
  const world = sourceWorld();
  world.server.on('GET x/a', denied);
  if (list !== undefined) world.server.on(LIST, list);
  const fetch = (signal = never): Promise<Fetch> =>
    world.backend.source.fetch(wantOf({ kind: 'vault-read', path: 'x/a' }), undefined, signal);
  return { ...world, hint: async () => (await failureOf(fetch()))?.hint, fetch };
}

test.each([
  ['refuses it', () => refuse(403)],
  ['does not know it', undefined],
  ['fails', () => refuse(500)],
  ['gives no list', () => answer({ data: { secret: 'x' } })],
])('a server that is asked for its mounts and %s leaves the policy lines', async (_, list) => {
  const world = deniedWorld(list);
  expect(await world.hint()).toBe(LINE);
});

test('the list of mounts is used for five minutes', async () => {
  const world = deniedWorld(() => mounts('y/'));
  expect(await world.hint()).toMatch(UNSEEN);
  world.server.on(LIST, () => mounts('x/'));
  await world.clock.advance(299_000);
  expect(await world.hint()).toMatch(UNSEEN);
  expect(world.server.count('sys/internal/ui/mounts')).toBe(1);
  await world.clock.advance(2_000);
  expect(await world.hint()).toBe(LINE);
  expect(world.server.count('sys/internal/ui/mounts')).toBe(2);
});

test('a list that does not come holds the failure up for two seconds at most', async () => {
  const world = deniedWorld((_, signal) => silence(signal));
  const failed = failureOf(world.fetch());
  await world.clock.advance(2_100);
  expect(await failed).toMatchObject({ code: 'SECRET_DENIED', hint: LINE });
});

test('a fetch that is cancelled does not wait for the list', async () => {
  const world = deniedWorld((_, signal) => silence(signal));
  const stop = new AbortController();
  const failed = failureOf(world.fetch(stop.signal));
  for (let turns = 0; turns < 100 && world.server.count('sys/internal') === 0; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  stop.abort();
  expect(await failed).toMatchObject({ code: 'SECRET_DENIED', hint: LINE });
});

test('the mounts of every server are not named, and a long list is cut', async () => {
  const built = { 'sys/': { type: 'system' }, 'identity/': { type: 'identity' }, 'cubbyhole/': { type: 'cubbyhole' } };
  const world = deniedWorld(() => answer({ data: { secret: built } }));
  expect(await world.hint()).toContain('It sees no other mount either. If the path is right, add to a policy');
  const many = deniedWorld(() => mounts(...Array.from({ length: 14 }, (_, i) => `mount${i}/`)));
  expect(await many.hint()).toContain('It sees mount0/, mount1/');
  expect(await many.hint()).toContain(', mount9/ and 4 more.');
});

test('a refusal keeps its code, its place, what was seen and when to try again', async () => {
  const world = sourceWorld();
  world.server.on('GET x/a', () => refuse(403, { errors: ['permission denied'] }, { 'retry-after': '7' }));
  expect(await failureOf(world.fetch({ kind: 'vault-read', path: 'x/a' }))).toMatchObject({
    code: 'SECRET_DENIED',
    place: 'here',
    seen: expect.stringContaining('HTTP 403'),
    retry: 'backoff',
    retryAfterMs: 7_000,
  });
});

test('a token that is called invalid gets no advice, since another login follows', async () => {
  const world = sourceWorld();
  world.server.on('GET x/a', () => refuse(403, { errors: ['permission denied', 'invalid token'] }));
  expect(await failureOf(world.fetch({ kind: 'vault-read', path: 'x/a' }))).toMatchObject({ retry: 'login' });
  expect(world.server.count('sys/')).toBe(0);
});
