import { describe, expect, it } from 'vitest';
import { tryMs } from '../../src/base/backoff.ts';
import { Transport } from '../../src/http/transport.ts';
import { settle } from '../fake-clock.ts';
import { wantsOf } from '../memory-backend.ts';
import { leaseWorld, numbers } from './lease.helpers.ts';

const TIMEOUT_MS = 10_000;

/** A lease whose requests go to a server that takes each of them and answers after `answersMs`; infinite: never. */
async function silentWorld(ttlMs: number, renewable: boolean, answersMs = Number.POSITIVE_INFINITY) {
  const world = leaseWorld(numbers(3));
  const { clock, backend, reconcile } = world;
  const tries: number[] = [];
  const answer = { status: 200, headers: {}, body: Buffer.from('{}') };
  const transport = new Transport({
    ...{ address: 'http://bao.invalid:8200', tls: { skipVerify: false }, timeoutMs: TIMEOUT_MS, clock, env: {} },
    place: 'backends.bao',
    exchange: (_request, stop) =>
      new Promise((resolve, reject) => {
        stop.listen(() => reject(stop.reason));
        if (Number.isFinite(answersMs)) clock.after(answersMs, () => resolve(answer));
      }),
  });
  const ask = async (signal: AbortSignal) => {
    tries.push(clock.monoMs());
    await transport.run({ place: 'secrets.db' }, signal, (send) => send({ method: 'GET', path: '/v1/x', headers: {} }));
  };
  backend.mint('db', ttlMs, renewable);
  reconcile(wantsOf('db'));
  await settle();
  const { fetch } = backend.source;
  backend.source.fetch = async (want, last, signal) => {
    await ask(signal);
    return fetch(want, last, signal);
  };
  backend.source.renew = async (_want, life, signal) => {
    await ask(signal);
    return { ...life, startedMonoMs: clock.monoMs() };
  };
  return { ...world, tries };
}

describe('what ends soon, at a server that takes requests and does not answer', () => {
  it.each([
    ['a lease of 15 s', 15_000, true],
    ['a lease of 30 s', 30_000, true],
    ['a lease of a minute', 60_000, true],
    ['a lease of an hour', 3_600_000, true],
    ['a lease of 60 s that cannot be renewed', 60_000, false],
  ])('is tried for three times before its end: %s', async (_title, ttlMs, renewable) => {
    const { clock, tries, state } = await silentWorld(ttlMs, renewable);
    await clock.advance(ttlMs - 1);
    expect(state('db')).toBe('stale');
    expect(tries.length).toBeGreaterThanOrEqual(3);
    await clock.advance(2);
    expect(state('db')).toBe('expired');
  });

  it('has the whole timeout again when it has ended', async () => {
    const { clock, tries } = await silentWorld(30_000, true);
    await clock.advance(30_000);
    const count = tries.length;
    await clock.advance(60_000);
    expect(tries.length - count).toBeLessThanOrEqual(6);
  });

  it('is renewed by a server that takes its time: the first try may last for half of what is left', async () => {
    const { clock, tries, state } = await silentWorld(30_000, true, 4_500);
    await clock.advance(29_000);
    expect([state('db'), tries.length]).toEqual(['fresh', 1]);
  });
});

describe('the time that a request has for its answer', () => {
  it.each([
    ['nothing ends', Number.POSITIVE_INFINITY, 10_000],
    ['an hour is left', 3_600_000, 10_000],
    ['10 s are left', 10_000, 5_000],
    ['3 s are left', 3_000, 1_500],
    ['a moment is left', 50, 1_000],
    ['it has ended', 0, 10_000],
    ['it ended long ago', -60_000, 10_000],
  ])('when %s', (_when, restMs, expected) => {
    expect(tryMs(TIMEOUT_MS, restMs)).toBe(expected);
  });

  it('is never longer than the timeout of the backend', () => {
    expect(tryMs(500, 50)).toBe(500);
  });
});
