import { describe, expect, it } from 'vitest';
import type { Fetched, Life } from '../../src/backend/backend.ts';
import type { ResumedLogin } from '../../src/backend/kept-login.ts';
import type { Code } from '../../src/base/codes.ts';
import { failure } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';
import { Secret } from '../../src/base/secret.ts';
import { ANSWER_MS, createEarlierValues } from '../../src/lease/earlier-values.ts';
import { MAX_RUNNING } from '../../src/lease/fetch-limiter.ts';
import { LeaseManager } from '../../src/lease/manager.ts';
import { FakeClock, settle } from '../fake-clock.ts';
import { MemoryBackend, wantOf } from '../memory-backend.ts';

const HOUR_MS = 3_600_000;

/** A manager whose secret `app` an earlier process knew for `ageMs`. */
function open({
  ageMs = HOUR_MS,
  life,
  knownLate = false,
}: {
  ageMs?: number;
  life?: (clock: FakeClock) => Life;
  knownLate?: boolean;
} = {}) {
  let isKnown = !knownLate;
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  const facts: Fact[] = [];
  const value: Fetched = {
    fields: new Map([['password', Secret.text('kept')]]),
    version: 'kept',
    life: life?.(clock) ?? { kind: 'none' },
  };
  const earlier = createEarlierValues(({ id }) => (id === 'app' ? { value, fetchedWallMs: fetchedWallMs } : undefined));
  const fetchedWallMs = clock.wallMs() - ageMs;
  const emit = (fact: Fact) => void facts.push(fact);
  const manager = new LeaseManager({ clock, random: () => 0.5, emit, earlier: () => (isKnown ? earlier : undefined) });
  const events: string[] = [];
  manager.onEvent((_, event) => void events.push(event));
  const start = async (more = {}) => {
    manager.reconcile(new Map([['app', wantOf('app', more)]]), new Map([['memory', backend]]));
    await settle();
  };
  const resume = (resumed: ResumedLogin | undefined) => Object.assign(backend, { resumed: async () => resumed });
  const entry = () => manager.entryOf('app');
  const text = () => {
    const now = entry();
    const password = now === undefined || now.state === 'absent' ? undefined : now.value.fields.get('password');
    return password instanceof Secret ? password.exposeText('file') : undefined;
  };
  const know = () => {
    isKnown = true;
    manager.standByEarlier();
  };
  return {
    know,
    clock,
    backend,
    facts,
    manager,
    events,
    start,
    resume,
    entry,
    text,
    fetchedWallMs,
    [Symbol.asyncDispose]: () => manager[Symbol.asyncDispose](),
  };
}

const leased = (clock: FakeClock, renewable = true): Life => ({
  kind: 'lease',
  leaseId: Secret.text('lease-kept'),
  ttlMs: HOUR_MS,
  renewable,
  startedMonoMs: clock.monoMs() - 600_000,
  loginId: 7,
});

describe('a polled value of an earlier process', () => {
  it.each<Code>([
    'BACKEND_UNREACHABLE',
    'BACKEND_TIMEOUT',
    'BACKEND_UNAVAILABLE',
    'BACKEND_THROTTLED',
    'BACKEND_NOT_READY',
    'BACKEND_TLS',
    'BACKEND_MALFORMED',
    'BACKEND_REDIRECT',
  ])('is served as stale, with its age, when the first fetch ends with %s', async (code) => {
    await using world = open();
    world.backend.answers.set('app', code);
    await world.start();
    expect([world.text(), world.events]).toEqual(['kept', ['first']]);
    expect(world.entry()).toMatchObject({ state: 'stale', fetchedWallMs: world.fetchedWallMs, why: { code } });
    expect(world.facts).toContainEqual(expect.objectContaining({ kind: 'secret-kept', ageMs: HOUR_MS }));
  });

  it.each<Code>(['SECRET_DENIED', 'SECRET_NOT_FOUND', 'SECRET_DELETED', 'SECRET_DESTROYED', 'AUTH_DENIED'])(
    'is not served when the backend answers %s',
    async (code) => {
      await using world = open();
      world.backend.answers.set('app', code);
      await world.start();
      expect(world.entry()).toMatchObject({ state: 'absent', why: { code } });
      await world.clock.advance(2 * ANSWER_MS);
      expect(world.text()).toBeUndefined();
    },
  );

  it.each<Code | 'no answer'>(['BACKEND_UNREACHABLE', 'no answer'])(
    'that becomes known late is served when its first fetch had %s',
    async (code) => {
      await using world = open({ knownLate: true });
      if (code === 'no answer') world.backend.latencyMs = HOUR_MS;
      else world.backend.answers.set('app', code);
      await world.start();
      await world.clock.advance(2 * ANSWER_MS);
      expect(world.text()).toBeUndefined();
      world.know();
      await world.clock.advance(120 * ANSWER_MS);
      expect([world.text(), world.entry()]).toMatchObject(['kept', { state: 'stale' }]);
    },
  );

  it('that becomes known late is not served when the backend refused it before', async () => {
    await using world = open({ knownLate: true });
    world.backend.answers.set('app', 'SECRET_DENIED');
    await world.start();
    world.know();
    world.backend.answers.set('app', 'BACKEND_UNREACHABLE');
    await world.clock.advance(120 * ANSWER_MS);
    expect(world.text()).toBeUndefined();
  });

  it('is not looked at when the backend answers in time', async () => {
    await using world = open();
    world.backend.latencyMs = ANSWER_MS - 1;
    world.backend.set('app', { password: 'new' });
    await world.start();
    await world.clock.advance(ANSWER_MS + 1);
    expect([world.text(), world.events, world.entry()?.state]).toEqual(['new', ['first'], 'fresh']);
    expect(world.facts.map(({ kind }) => kind)).not.toContain('secret-kept');
  });

  it.each([
    ['another value replaces it', 'new', 'changed'],
    ['the same value leaves its numbers', 'kept', 'settled'],
  ])('is served as stale after half a second without an answer, and %s', async (_, password, event) => {
    await using world = open();
    world.backend.latencyMs = 3 * ANSWER_MS;
    world.backend.set('app', { password });
    await world.start();
    await world.clock.advance(ANSWER_MS);
    expect([world.text(), world.entry()]).toMatchObject(['kept', { state: 'stale', why: { code: 'BACKEND_TIMEOUT' } }]);
    const before = world.entry() as { valueNumber: number };
    await world.clock.advance(2 * ANSWER_MS);
    expect([world.text(), world.events]).toEqual([password, ['first', event]]);
    expect(world.entry()).toMatchObject({ state: 'fresh' });
    expect((world.entry() as { valueNumber: number }).valueNumber === before.valueNumber).toBe(password === 'kept');
  });

  it('is not served while the backend answers for other secrets', async () => {
    await using world = open();
    const { clock, backend } = world;
    backend.set('app', { password: 'new' });
    backend.latencyMs = 300;
    const others = Array.from({ length: 3 * MAX_RUNNING }, (_, number) => `other-${number}`);
    for (const other of others) backend.set(other, { password: 'x' });
    const wants = new Map([...others, 'app'].map((name) => [name, wantOf(name)]));
    world.manager.reconcile(wants, new Map([['memory', backend]]));
    await settle();
    await clock.advance(1_000);
    expect(world.text()).toBeUndefined();
    await clock.advance(300);
    expect([world.text(), world.entry()?.state]).toEqual(['new', 'fresh']);
  });

  it('is served when it waits for its turn at a backend that answers nothing', async () => {
    await using world = open();
    const { clock, backend } = world;
    backend.latencyMs = HOUR_MS;
    const others = Array.from({ length: MAX_RUNNING }, (_, number) => `other-${number}`);
    const wants = new Map([...others, 'app'].map((name) => [name, wantOf(name)]));
    world.manager.reconcile(wants, new Map([['memory', backend]]));
    await settle();
    await clock.advance(ANSWER_MS);
    expect([world.text(), world.entry()?.state]).toEqual(['kept', 'stale']);
  });

  it('is not served after half a second when the login is refused', async () => {
    await using world = open();
    world.backend.latencyMs = HOUR_MS;
    Object.assign(world.backend, { trouble: () => failure('AUTH_DENIED', 'backends.memory.auth', 'refused') });
    await world.start();
    await world.clock.advance(ANSWER_MS);
    expect(world.text()).toBeUndefined();
  });

  it('expires at the maxStale of its secret, counted from when it was last known good', async () => {
    await using world = open({ ageMs: 1_000 });
    world.backend.answers.set('app', 'BACKEND_UNREACHABLE');
    await world.start({ maxStaleMs: 5_000 });
    expect(world.entry()?.state).toBe('stale');
    await world.clock.advance(4_001);
    expect(world.entry()?.state).toBe('expired');
  });
});

describe('a lease of an earlier process', () => {
  it('is taken up and renewed when its login is, without a fetch', async () => {
    await using world = open({ life: leased });
    world.resume({ loginId: 1 });
    await world.start();
    expect([world.text(), world.backend.fetches, world.backend.renews]).toEqual(['kept', [], ['app']]);
    expect(world.entry()).toMatchObject({
      state: 'fresh',
      value: { life: { loginId: 1, startedMonoMs: world.clock.monoMs() } },
    });
  });

  it('is fetched anew when its login is not taken up', async () => {
    await using world = open({ life: leased });
    world.resume(undefined);
    world.backend.mint('app', HOUR_MS);
    await world.start();
    expect([world.text(), world.backend.fetches]).toEqual(['minted-1', ['app']]);
  });

  it('is fetched anew when the server does not know it any more', async () => {
    await using world = open({ life: leased });
    world.resume({ loginId: 1 });
    world.backend.mint('app', HOUR_MS);
    world.backend.renewals.set('app', 'BACKEND_REJECTED');
    await world.start();
    expect([world.text(), world.events]).toEqual(['minted-1', ['first']]);
  });

  it('is used until its end when the policy does not allow renewals', async () => {
    await using world = open({ life: leased });
    world.resume({ loginId: 1 });
    world.backend.renewals.set('app', 'SECRET_DENIED');
    await world.start();
    expect(world.entry()).toMatchObject({ state: 'fresh', value: { life: { renewable: false } } });
    expect(world.backend.fetches).toEqual([]);
  });

  it.each<[string, ResumedLogin, Code | undefined]>([
    [
      'nobody knows whether its login is alive',
      { loginId: 1, why: failure('BACKEND_UNREACHABLE', 'x', 'y') },
      undefined,
    ],
    ['the renewal gets no answer', { loginId: 1 }, 'BACKEND_UNREACHABLE'],
  ])('is served as stale while %s, and renewed later', async (_, resumed, renewal) => {
    await using world = open({ life: leased });
    world.resume(resumed);
    if (renewal !== undefined) world.backend.renewals.set('app', renewal);
    await world.start();
    expect([world.text(), world.entry()?.state, world.events]).toEqual(['kept', 'stale', ['first']]);
    world.backend.renewals.delete('app');
    await world.clock.advance(5_000);
    expect([world.entry()?.state, world.backend.fetches]).toEqual(['fresh', []]);
  });

  it('is taken up once: when the secret leaves the configuration and comes back, it is fetched', async () => {
    await using world = open({ life: leased });
    world.resume({ loginId: 1 });
    world.backend.mint('app', HOUR_MS);
    await world.start();
    world.manager.reconcile(new Map(), new Map([['memory', world.backend]]));
    await world.start();
    expect(world.text()).toBe('minted-1');
  });
});

describe('what was minted without a lease', () => {
  it.each<[string, Life]>([
    ['a certificate', { kind: 'certificate', notBeforeMs: 0, notAfterMs: Date.UTC(2027, 0, 1) }],
    ['a token', { kind: 'ends', clock: 'wall', startMs: 0, endMs: Date.UTC(2027, 0, 1), mints: true }],
  ])('(%s) is taken up without a request', async (_, life) => {
    await using world = open({ life: () => life });
    await world.start();
    expect([world.text(), world.backend.fetches, world.entry()?.state]).toEqual(['kept', [], 'fresh']);
  });
});
