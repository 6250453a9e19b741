import type { IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LiveLogin } from '../../../src/backend/vault/auth/method.ts';
import type { Upstream } from '../../../src/backend/vault/upstream.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { Secret } from '../../../src/base/secret.ts';
import { CachedAnswer } from '../../../src/deliver/proxy/cached-answer.ts';
import { LeaseCache } from '../../../src/deliver/proxy/lease-cache.ts';
import { answer, FakeVault, refuse } from '../../backend/vault/auth/fake-vault.ts';
import { FakeClock } from '../../fake-clock.ts';

const login: LiveLogin = {
  token: Secret.text('s.own'),
  accessor: undefined,
  id: 1,
  ttlMs: 'forever',
  renewable: false,
  usesLeft: 'unlimited',
  startedMonoMs: 0,
  endsMonoMs: Number.POSITIVE_INFINITY,
};
const HOUR_MS = 3_600_000;
const EXTENDED = { lease_id: 'l', lease_duration: 3600, renewable: true };

/** A cache with one lease of an hour, on a fake clock. */
function world() {
  const clock = new FakeClock();
  const client = new FakeVault().on('POST sys/leases/renew', () => answer(EXTENDED));
  const facts: Fact[] = [];
  const session: Upstream['session'] = {
    start: () => {},
    current: async () => login,
    currentNow: () => login,
    settled: async () => {},
    suspect: async () => 'alive',
    names: () => false,
    endsMonoMs: () => Number.POSITIVE_INFINITY,
    onReplacing: () => ({ [Symbol.dispose]() {} }),
    trouble: () => undefined,
    view: () => ({ method: 'token', state: 'live', isUsable: true, endsMonoMs: undefined, nextMonoMs: undefined }),
  };
  const upstream = { session, client, place: 'backends.bao' } as Partial<Upstream> as Upstream;
  const cache = new LeaseCache({
    upstream,
    backend: 'bao',
    clock,
    random: () => 0.5,
    emit: (fact) => facts.push(fact),
  });
  onTestFinished(() => cache[Symbol.dispose]());
  const received = { statusCode: 200, rawHeaders: [] } as Partial<IncomingMessage> as IncomingMessage;
  const since = { monoMs: clock.monoMs(), wallMs: clock.wallMs() };
  const life = {
    kind: 'lease',
    leaseId: Secret.text('l'),
    ttlMs: HOUR_MS,
    renewable: true,
    startedMonoMs: 0,
    loginId: 1,
  } as const;
  cache.keep({
    key: 'k',
    answer: new CachedAnswer(received, Buffer.from('{}'), since),
    path: 'database/creds/x',
    namespace: '',
    owner: { kind: 'login', login },
    leased: { kind: 'lease', leaseId: 'l', life },
  });
  return { clock, client, facts, cache, renewals: () => client.count('sys/leases/renew') };
}

describe('a lease that the proxy keeps', () => {
  it('is renewed at two thirds of its life, again and again, by one timer', async () => {
    const { clock, cache, renewals } = world();
    await clock.advance(HOUR_MS * 0.6);
    expect(renewals()).toBe(0);
    await clock.advance(HOUR_MS * 0.1);
    expect(renewals()).toBe(1);
    await clock.advance(HOUR_MS * 5);
    expect(renewals()).toBe(8);
    expect(cache.find('k')).toBeDefined();
    expect(clock.waiting).toBe(1);
  });

  it('is shortened by the time that the machine slept', async () => {
    const { clock, client, cache, renewals } = world();
    clock.jumpWall(HOUR_MS * 0.7);
    await clock.advance(31_000);
    expect(renewals()).toBe(1);
    client.on('POST sys/leases/renew', () => refuse(503));
    clock.jumpWall(HOUR_MS * 2);
    await clock.advance(31_000);
    expect(cache.find('k')).toBeUndefined();
  });

  it('is tried again with backoff while the server is down, and dropped before it ends', async () => {
    const { clock, client, cache, facts, renewals } = world();
    client.on('POST sys/leases/renew', () => refuse(503));
    await clock.advance(HOUR_MS * 0.8);
    expect(renewals()).toBeGreaterThan(10);
    expect(renewals()).toBeLessThan(200);
    expect(cache.find('k')).toBeDefined();
    await clock.advance(HOUR_MS * 0.1 + 1_000);
    expect(cache.find('k')).toBeUndefined();
    expect(facts.filter(({ kind }) => kind === 'proxy-renew-failed').length).toBe(renewals());
    expect(clock.waiting).toBe(0);
  });

  it('is dropped when a renewal is refused, and when a renewal extends it no further', async () => {
    const refused = world();
    refused.client.on('POST sys/leases/renew', () => refuse(400));
    await refused.clock.advance(HOUR_MS * 0.7);
    expect([refused.renewals(), refused.cache.find('k')]).toEqual([1, undefined]);
    expect(refused.facts).toMatchObject([{ kind: 'proxy-renew-failed', call: 'database/creds/x' }]);
    const spent = world();
    spent.client.on('POST sys/leases/renew', () => answer({ ...EXTENDED, lease_duration: 1200 }));
    await spent.clock.advance(HOUR_MS * 0.7);
    expect([spent.renewals(), spent.cache.find('k'), spent.facts]).toEqual([1, undefined, []]);
  });

  it('is renewed no sooner than the server asks for', async () => {
    const { clock, client, renewals } = world();
    client.on('POST sys/leases/renew', () => refuse(429, { errors: [] }, { 'retry-after': '120' }));
    await clock.advance(HOUR_MS * 0.67);
    const before = renewals();
    await clock.advance(119_000);
    expect(renewals() - before).toBeLessThanOrEqual(1);
  });
});
