import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Fetched, Watching } from '../../../src/backend/backend.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { forbid } from './fake-api-server.ts';
import { type KubeOptions, type KubePlace, openKubePlace, plain, signalOf, wantOf } from './kubernetes.helpers.ts';

/** What a watch tells, of which this backend tells one thing alone. */
const listener = (changed: () => void) => ({ changed, written: () => {}, replaceAt: () => {}, covered: () => {} });

let place: KubePlace;
const watchings: Watching[] = [];
afterEach(async () => {
  for (const one of watchings.splice(0)) one[Symbol.dispose]();
  await place[Symbol.asyncDispose]();
});

/** A secret that is read and watched; `told` counts the changes, and each poll is made as the lease manager does. */
async function watched(want = wantOf('db')) {
  const { backend, server } = place;
  let last = await fetchNow(undefined);
  let told = 0;
  const watching = backend.source.watch?.(
    want,
    listener(() => void told++),
  ) as Watching;
  watchings.push(watching);
  async function fetchNow(before: Fetched | undefined, urgency: 'first' | 'poll' | 'ending' = 'first') {
    const fetched = await backend.source.fetch(want, before, signalOf(urgency));
    return fetched.state === 'changed' ? fetched.value : (before as Fetched);
  }
  return {
    told: () => told,
    watching,
    /** How many requests the fetch took. */
    async fetch(urgency: 'poll' | 'ending' = 'poll'): Promise<number> {
      const before = server.count('get');
      last = await fetchNow(last, urgency);
      return server.count('get') - before;
    },
    fields: () => plain(last.fields),
  };
}

const open = async (context: KubeOptions['context'] = {}) => {
  place = await openKubePlace({ context });
  place.server.putSecret('db', { password: '1' });
  return place;
};

const watches = (count: number) => vi.waitFor(() => expect(place.server.openWatches).toBe(count), 10_000);

describe('a watch of one object', () => {
  it('names the object in a field selector, asks for metadata only, and begins at the version that was read', async () => {
    const { server } = await open();
    await watched();
    await watches(1);
    const asked = server.got.find(({ verb }) => verb === 'watch');
    expect(asked?.path).toBe('/api/v1/namespaces/shop/secrets');
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({
      watch: 'true',
      fieldSelector: 'metadata.name=db',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '300',
      resourceVersion: '101',
    });
    expect(asked?.accept).toMatch(/^application\/json;as=PartialObjectMetadata;/);
  });

  it('tells of a change at once, and of no other object', async () => {
    const { server } = await open();
    const db = await watched();
    await watches(1);
    server.putSecret('other', { a: '1' });
    server.putSecret('db', { password: '2' });
    await vi.waitFor(() => expect(db.told()).toBe(1));
    expect(await db.fetch()).toBe(1);
    expect(db.fields()).toEqual({ password: '2' });
  });

  it('makes polls free: while it is open and silent, none of them asks the server; a refresh that was asked for does', async () => {
    await open();
    const db = await watched();
    await watches(1);
    expect([await db.fetch('poll'), await db.fetch('poll')]).toEqual([0, 0]);
    expect(await db.fetch('ending')).toBe(1);
    expect(await db.fetch('poll')).toBe(0);
  });

  it('that is silent for longer than a bookmark takes is no answer, and what it tells is as old as what was last heard', async () => {
    let aheadMs = 0;
    const monoMs = () => systemClock.monoMs() + aheadMs;
    const clock = { ...systemClock, monoMs };
    const { server, backend } = await open({ clock });
    const want = wantOf('db');
    const db = await watched(want);
    await watches(1);
    const first = await backend.source.fetch(want, undefined, signalOf());
    const last = first.state === 'changed' ? first.value : undefined;
    const agoMs = async () => {
      const answer = await backend.source.fetch(want, last, signalOf('poll'));
      return answer.state === 'unchanged' && answer.asOfMonoMs !== undefined ? monoMs() - answer.asOfMonoMs : undefined;
    };
    aheadMs = 60_000;
    expect(await agoMs()).toBeGreaterThanOrEqual(60_000);
    server.bookmark();
    await vi.waitFor(async () => expect(await agoMs()).toBeLessThan(60_000));
    aheadMs += 91_000;
    expect(await db.fetch('poll')).toBe(1);
    expect(await db.fetch('poll')).toBe(0);
    expect(server.openWatches).toBe(1);
  });

  it('asks sooner for a value that may not grow old', async () => {
    let aheadMs = 0;
    await open({ clock: { ...systemClock, monoMs: () => systemClock.monoMs() + aheadMs } });
    const db = await watched({ ...wantOf('db'), refreshMs: 10_000, maxStaleMs: 30_000 });
    await watches(1);
    expect(await db.fetch('poll')).toBe(0);
    aheadMs = 11_000;
    expect(await db.fetch('poll')).toBe(1);
  });

  it('that has just told of a change makes polls of other objects ask the server, so that they change together', async () => {
    const { server } = await open();
    server.putSecret('other', { a: '1' });
    const db = await watched();
    const other = await watched(wantOf('other'));
    await watches(2);
    expect(await other.fetch()).toBe(0);
    server.putSecret('db', { password: '2' });
    await vi.waitFor(() => expect(db.told()).toBe(1));
    expect(await other.fetch()).toBe(1);
  });

  it('is shared by all wants of the object, and ends with the last of them', async () => {
    const { server } = await open();
    server.putSecret('db', { password: '2', user: 'shop' });
    const all = await watched();
    const user = await watched(wantOf('db', { keys: ['user'] }));
    await watches(1);
    server.putSecret('db', { password: '3', user: 'shop' });
    await vi.waitFor(() => expect([all.told(), user.told()]).toEqual([1, 1]));
    all.watching[Symbol.dispose]();
    server.putSecret('db', { password: '4', user: 'shop' });
    await vi.waitFor(() => expect(user.told()).toBeGreaterThan(1));
    user.watching[Symbol.dispose]();
    await watches(0);
    expect(server.count('watch')).toBe(1);
  });

  it('tells when the object is deleted, and again when it is made anew', async () => {
    const { server, backend } = await open();
    const db = await watched();
    await watches(1);
    server.remove('db');
    await vi.waitFor(() => expect(db.told()).toBe(1));
    await expect(backend.source.fetch(wantOf('db'), undefined, signalOf('poll'))).rejects.toThrow('SECRET_NOT_FOUND');
    server.putSecret('db', { password: '1' });
    await vi.waitFor(() => expect(db.told()).toBe(2));
    expect(await db.fetch()).toBe(1);
  });

  it.each(['end', 'destroy'] as const)(
    'that the server closes (%s) begins again where it was, and misses nothing',
    async (how) => {
      const { server } = await open();
      const db = await watched();
      await watches(1);
      server.fault = ({ verb }, response) => {
        if (verb !== 'watch') return false;
        response.destroy(); // for a moment no watch begins again
        return true;
      };
      server.endWatches(how);
      await watches(0);
      expect(await db.fetch()).toBe(1); // without a watch a poll asks
      server.putSecret('db', { password: '2' });
      server.fault = undefined;
      await vi.waitFor(() => expect(db.told()).toBeGreaterThan(0), 10_000);
      expect(server.got.findLast(({ verb }) => verb === 'watch')?.query.get('resourceVersion')).toBe('101');
    },
  );

  it('begins where a bookmark says, after a stream of nothing but bookmarks', async () => {
    const { server } = await open();
    const db = await watched();
    await watches(1);
    for (let i = 0; i < 5; i++) server.bookmark();
    server.endWatches();
    await vi.waitFor(() => expect(server.count('watch')).toBe(2), 10_000);
    expect(server.got.findLast(({ verb }) => verb === 'watch')?.query.get('resourceVersion')).toBe('106');
    expect(db.told()).toBe(0);
  });

  it('whose version the server has forgotten (410) has the object read again, and begins at the present', async () => {
    const { server, backend } = await open();
    const db = await watched();
    await watches(1);
    const forget = () => {
      server.remove('db');
      server.compact();
    };
    server.fault = ({ verb }) => {
      if (verb === 'watch') forget();
      server.fault = undefined;
      return false;
    };
    server.endWatches();
    await vi.waitFor(() => expect(db.told()).toBeGreaterThan(0), 10_000);
    await expect(backend.source.fetch(wantOf('db'), undefined, signalOf('poll'))).rejects.toThrow('SECRET_NOT_FOUND');
    await watches(1);
    expect(server.got.findLast(({ verb }) => verb === 'watch')?.query.has('resourceVersion')).toBe(false);
  });

  it.each<[string, (line: Buffer) => Buffer[]]>([
    ['byte by byte, also within a character', (line) => [...line].map((byte) => Buffer.from([byte]))],
    ['in two halves', (line) => [line.subarray(0, line.length >> 1), line.subarray(line.length >> 1)]],
    ['with empty lines around it', (line) => [Buffer.from('\n\n'), line, Buffer.from('\r\n')]],
  ])('takes an event that comes %s', async (_, cut) => {
    const { server } = await open();
    const db = await watched();
    await watches(1);
    server.cut = cut;
    server.putSecret('db', { password: '2' });
    await vi.waitFor(() => expect(db.told()).toBe(1));
  });

  it.each([
    ['no JSON', '{"type": c4n4ry'],
    ['no event', '{"a":"c4n4ry"}'],
    ['an event of no known type', '{"type":"__proto__","object":{"metadata":{"resourceVersion":"c4n4ry"}}}'],
    ['an error', '{"type":"ERROR","object":{"kind":"Status","code":500,"message":"c4n4ry"}}'],
  ])('that brings %s is begun again, and a change behind it is not lost', async (_, line) => {
    const { server, facts } = await open();
    const db = await watched();
    await watches(1);
    server.sendLine(line);
    server.putSecret('db', { password: '2' });
    await vi.waitFor(() => expect(db.told()).toBeGreaterThan(0), 10_000);
    expect(await db.fetch()).toBe(1);
    expect(JSON.stringify(facts)).not.toContain('c4n4ry');
  });

  it('that is forbidden is one warning with the line of a Role, and polls ask the server', async () => {
    const { server, facts } = await open();
    server.fault = (got, response) => got.verb === 'watch' && forbid(got, response);
    const db = await watched();
    await vi.waitFor(() => expect(server.count('watch')).toBeGreaterThan(2), 10_000);
    const warnings = facts.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning] : []));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.seen).toMatch(/may not watch the Secret db in the namespace shop; it is polled at refresh/);
    expect(warnings[0]?.hint).toContain('verbs: [get, watch]');
    expect(await db.fetch('poll')).toBe(1);
    server.fault = undefined;
    await watches(1);
    expect(await db.fetch('poll')).toBe(0);
  });

  it('that is open again after an outage has what could not be read meanwhile read', async () => {
    const { server, backend } = await open();
    const db = await watched();
    await watches(1);
    await server.stop();
    await expect(backend.source.fetch(wantOf('db'), undefined, signalOf('poll'))).rejects.toThrow(
      'BACKEND_UNREACHABLE',
    );
    await server.start();
    await vi.waitFor(() => expect(db.told()).toBeGreaterThan(0), 10_000);
    expect(await db.fetch()).toBe(1);
    await vi.waitFor(async () => expect(await db.fetch()).toBe(0), 10_000);
  });

  it('of an object that is not there yet tells when it is made', async () => {
    place = await openKubePlace();
    const { server, backend } = place;
    const want = wantOf('later');
    let told = 0;
    await expect(backend.source.fetch(want, undefined, signalOf())).rejects.toThrow('SECRET_NOT_FOUND');
    watchings.push(
      backend.source.watch?.(
        want,
        listener(() => void told++),
      ) as Watching,
    );
    await watches(1);
    server.putSecret('later', { a: '1' });
    await vi.waitFor(() => expect(told).toBe(1));
  });
});
