import { describe, expect, it } from 'vitest';
import { MAX_RUNNING } from '../../src/lease/fetch-limiter.ts';
import { refreshTogether } from '../../src/lease/refresh-together.ts';
import { settle } from '../fake-clock.ts';
import { wantOf, wantsOf } from '../memory-backend.ts';
import { leaseWorld, numbers } from './lease.helpers.ts';

const names = Array.from({ length: 1_000 }, (_, i) => `s${i}`);

function world() {
  const made = leaseWorld();
  for (const name of names) made.backend.set(name, { password: '1' });
  return made;
}

describe('a thousand secrets', () => {
  it('are fetched a few hundred at a time, and each once', async () => {
    const { backend, clock, manager, reconcile, facts } = world();
    backend.latencyMs = 10;
    reconcile(wantsOf(...names));
    await settle();
    expect(backend.fetches.length).toBe(MAX_RUNNING);
    expect(names.every((name) => manager.isAwaited(name))).toBe(true);
    await clock.advance(100);
    expect(backend.fetches).toEqual(names);
    expect(facts.filter(({ kind }) => kind === 'secret-changed').length).toBe(names.length);
  });

  it('whose source renews no leases are fetched a few hundred at a time, also when renewals are due', async () => {
    const { backend, clock, reconcile } = world();
    delete backend.source.renew;
    for (const name of names) backend.mint(name, 60_000);
    reconcile(wantsOf(...names));
    await settle();
    const before = backend.fetches.length;
    backend.latencyMs = 50_000;
    await clock.advance(40_000);
    expect(backend.fetches.length - before).toBe(MAX_RUNNING);
  });

  it('that hang in one part of a backend hold no place of another part', async () => {
    const { backend, clock, reconcile, state } = world();
    Object.assign(backend.source, { partOf: ({ id }: { id: string }) => (id === 's999' ? 'team' : 'secret') });
    for (const name of names.slice(0, -1)) backend.answers.set(name, () => new Promise(() => {}));
    reconcile(wantsOf(...names));
    await clock.advance(100);
    expect([backend.fetches.length, state('s999')]).toEqual([MAX_RUNNING + 1, 'fresh']);
  });

  it('that are dropped while they wait are not fetched', async () => {
    const { backend, clock, reconcile } = world();
    backend.latencyMs = 10;
    reconcile(wantsOf(...names));
    await settle();
    reconcile(wantsOf('s999'));
    await clock.advance(100);
    expect(backend.fetches.slice(MAX_RUNNING)).toEqual(['s999']);
  });

  it('at rest cost one timer, and one wake-up is one fetch', async () => {
    const { backend, clock, reconcile } = world();
    reconcile(wantsOf(...names));
    await settle();
    expect(clock.waiting).toBe(1);
    const before = backend.fetches.length;
    await clock.advance(600_000);
    expect([clock.waiting, backend.fetches.length - before]).toEqual([1, 2 * names.length]);
  });

  it('wake the agent four times a second at most for their polls, however these are spread', async () => {
    const { backend, clock, manager, reconcile } = leaseWorld(numbers(1));
    for (const name of names) backend.set(name, { password: '1' });
    reconcile(new Map(names.map((name) => [name, wantOf(name, { refreshMs: 30_000 })])));
    await settle();
    const polledMs: number[] = [];
    manager.onEvent(() => void polledMs.push(clock.monoMs()));
    await clock.advance(60_000);
    expect(polledMs.length).toBeGreaterThan(1.5 * names.length);
    expect(new Set(polledMs).size).toBeLessThanOrEqual(4 * 60);
  });

  it('that change together are fetched three times each at most, however many outputs have them', async () => {
    const { backend, clock, manager, reconcile, field } = world();
    reconcile(wantsOf(...names));
    await settle();
    // Each secret is in two outputs, and the first secret is in all of them.
    const outputs = Array.from({ length: 100 }, (_, i) => new Set(['s0', ...names.slice(i * 10, i * 10 + 20)]));
    refreshTogether(manager, new Map(names.map((name) => [name, outputs.filter((output) => output.has(name))])));
    for (const name of names) backend.set(name, { password: '2' });
    const before = backend.fetches.length;
    await clock.advance(300_000);
    expect(names.every((name) => field(name) === '2')).toBe(true);
    // By its own poll, for a secret that changed with it, and once more when that change came while it was read.
    expect(backend.fetches.length - before).toBeLessThanOrEqual(3 * names.length);
  });
});
