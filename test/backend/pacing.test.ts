import { describe, expect, it } from 'vitest';
import { Pacing, type PacingOptions } from '../../src/backend/pacing.ts';
import type { Code } from '../../src/base/codes.ts';
import { failure } from '../../src/base/errors.ts';
import { setUrgency, URGENCY, type Urgency } from '../../src/base/urgency.ts';
import { FakeClock } from '../fake-clock.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const COSTLY: ReadonlySet<Code> = new Set(['CERTIFICATE_REFUSED', 'ACME_CHALLENGE_FAILED']);

function pacingWith(clock: FakeClock, random = 0.999, more: Partial<PacingOptions> = {}): Pacing {
  const remembered: ReadonlySet<Code> = new Set(['CERTIFICATE_REFUSED']);
  return new Pacing({ clock, random: () => random, name: 'order', costly: COSTLY, remembered, ...more });
}

const STRICT = { isStrict: true } as const;
const refused = failure('CERTIFICATE_REFUSED', 'secrets.tls.acme', 'no');
const signalOf = (urgency: Urgency, endsMonoMs?: number): AbortSignal => {
  const { signal } = new AbortController();
  setUrgency(signal, urgency, endsMonoMs);
  return signal;
};
const byItself = { id: 'tls', signal: signalOf(URGENCY.ending) };
const byPerson = { id: 'tls', signal: signalOf(URGENCY.asked) };

/** After how many steps of the clock a try may be made. */
async function waits(pacing: Pacing, clock: FakeClock, stepMs = MINUTE): Promise<number | undefined> {
  for (let steps = 0; steps < 400; steps++) {
    try {
      pacing.assertMayTry(byItself);
      return steps;
    } catch {
      await clock.advance(stepMs);
    }
  }
  return undefined;
}

describe.each([
  ['orders of a public issuer', STRICT],
  ['certificates of an own CA', {}],
])('%s that fail', (_, more) => {
  it('are a minute or two apart at first and an hour in the end, and one by one', async () => {
    const clock = new FakeClock();
    const pacing = pacingWith(clock, 0.999, more);
    const minutes: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      pacing.failed(byItself, refused);
      expect(() => pacing.assertMayTry({ ...byItself, id: 'other' })).not.toThrow();
      minutes.push(await waits(pacing, clock));
    }
    expect(minutes).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
    pacing.forget('tls');
    pacing.failed(byItself, refused);
    expect(await waits(pacing, clock)).toBe(2);
  });

  it('are as far apart as the issuer asks for, a day at most', () => {
    const pacing = pacingWith(new FakeClock(), 0, more);
    expect(pacing.failed(byItself, { ...refused, retryAfterMs: 5 * HOUR }).retryAfterMs).toBe(5 * HOUR);
    expect(pacing.failed(byItself, { ...refused, retryAfterMs: 500 * HOUR }).retryAfterMs).toBe(24 * HOUR);
  });

  it('say when the next one is made, by a moment that stays true', async () => {
    const clock = new FakeClock();
    const pacing = pacingWith(clock, 0.5, more);
    expect(pacing.failed(byItself, refused)).toMatchObject({ seen: 'no', retryAfterMs: 90 * SECOND });
    expect(() => pacing.assertMayTry(byItself)).toThrow('no; the next order is made at 2026-01-01T00:01:30Z');
    const second = pacing.failed(byItself, refused).seen;
    expect(second).toBe('no; after 2 failures in a row the next order is made at 2026-01-01T00:02:30Z');
    await clock.advance(MINUTE);
    expect(() => pacing.assertMayTry(byItself)).toThrow(second);
  });

  it('are not held up by a network that failed: that costs the issuer nothing', () => {
    const pacing = pacingWith(new FakeClock(), 0, more);
    const down = failure('BACKEND_UNREACHABLE', 'backends.ca', 'down');
    expect(pacing.failed(byItself, down)).toBe(down);
    expect(() => pacing.assertMayTry(byItself)).not.toThrow();
  });

  it('are tried again when a machine wakes up after that time', () => {
    const clock = new FakeClock();
    const pacing = pacingWith(clock, 0.999, more);
    pacing.failed(byItself, refused);
    clock.jumpWall(HOUR);
    expect(() => pacing.assertMayTry(byItself)).not.toThrow();
  });
});

describe('the wait before the next try', () => {
  it('ends when a person asks, once a second, unless the issuer is a public one', async () => {
    const clock = new FakeClock();
    const [own, strict] = [pacingWith(clock), pacingWith(clock, 0.999, STRICT)];
    for (const pacing of [own, strict]) pacing.failed(byItself, refused);
    expect(() => own.assertMayTry(byItself)).toThrow('no; the next order');
    expect(() => own.assertMayTry(byPerson)).toThrow('no; the next order');
    await clock.advance(SECOND);
    expect(() => own.assertMayTry(byPerson)).not.toThrow();
    expect(() => strict.assertMayTry(byPerson)).toThrow('no; the next order');
  });

  it('ends when a certificate is judged by something else', () => {
    const pacing = pacingWith(new FakeClock());
    pacing.failed({ ...byItself, judgedBy: 'one root' }, refused);
    expect(() => pacing.assertMayTry({ ...byItself, judgedBy: 'one root' })).toThrow('no; the next order');
    expect(() => pacing.assertMayTry({ ...byItself, judgedBy: 'another root' })).not.toThrow();
  });

  it.each([
    ['days', 90 * HOUR, 0, MINUTE, HOUR],
    ['two hours', 2 * HOUR, 0, MINUTE, HOUR],
    ['ten minutes', 10 * MINUTE, 0, MINUTE, 5 * MINUTE],
    ['a minute', MINUTE, 0, 15 * SECOND, 30 * SECOND],
    ['two seconds', 2 * SECOND, 0, SECOND, SECOND],
    ['no time, since it has ended', -MINUTE, 0, MINUTE, HOUR],
  ])('leaves time for another try while a certificate is good for %s', (_, restMs, atMs, soonestMs, latestMs) => {
    const clock = new FakeClock();
    const asking = { id: 'tls', signal: signalOf(URGENCY.ending, atMs + restMs) };
    const longest = (random: number, more: Partial<PacingOptions> = {}) => {
      const pacing = pacingWith(clock, random, more);
      for (let i = 0; i < 9; i++) pacing.failed(asking, refused);
      return pacing.failed(asking, refused).retryAfterMs;
    };
    expect([longest(0), longest(1)]).toEqual([soonestMs, latestMs]);
    expect(longest(1, STRICT)).toBe(HOUR);
  });
});

describe('orders that failed before a restart', () => {
  it.each([
    ['one', 1, undefined, 0],
    ['two', 2, undefined, 0],
    ['three', 3, undefined, 8],
    ['one for which the issuer asked for five hours', 1, 5 * HOUR, 301],
  ])('are followed after it as this many wants it: %s', async (_, count, retryAfterMs, minutes) => {
    const clock = new FakeClock();
    const [before, after] = [pacingWith(clock, 0.999, STRICT), pacingWith(clock, 0.999, STRICT)];
    const why = retryAfterMs === undefined ? refused : { ...refused, retryAfterMs };
    for (let i = 0; i < count; i++) before.failed(byItself, why);
    const remembered = before.toRemember('tls', why);
    expect(remembered).toMatchObject({ failures: count, code: 'CERTIFICATE_REFUSED', seen: 'no' });
    after.resume('tls', JSON.parse(JSON.stringify(remembered)), { place: 'secrets.tls', hint: '' });
    expect(Math.abs(((await waits(after, clock)) ?? Number.NaN) - minutes)).toBeLessThanOrEqual(1);
  });

  it('are forgotten after it when they are an hour over, or were no fault of the issuer', async () => {
    const clock = new FakeClock();
    const [before, after] = [pacingWith(clock, 0.999, STRICT), pacingWith(clock, 0.999, STRICT)];
    for (let i = 0; i < 5; i++) before.failed(byItself, refused);
    const remembered = before.toRemember('tls', refused);
    await clock.advance(2 * HOUR);
    if (remembered !== undefined) after.resume('tls', remembered, { place: 'secrets.tls', hint: '' });
    expect(after.failed(byItself, refused).retryAfterMs).toBeLessThanOrEqual(2 * MINUTE);
    const taken = failure('ACME_CHALLENGE_FAILED', 'secrets.tls', 'the port is taken');
    before.failed(byItself, taken);
    expect(before.toRemember('tls', taken)).toBeUndefined();
  });
});
