import { describe, expect, it } from 'vitest';
import { RetryTimer } from '../../../src/agent/output/retry-timer.ts';
import { backoffMs } from '../../../src/base/backoff.ts';
import { FakeClock } from '../../fake-clock.ts';

const random = () => 0.5;

function setUp() {
  const clock = new FakeClock();
  return { clock, timer: new RetryTimer(clock, random) };
}

describe('a retry', () => {
  it('is due after a backoff that grows with the failures in a row', async () => {
    const { clock, timer } = setUp();
    expect(timer.dueMonoMs).toBe(Number.POSITIVE_INFINITY);
    for (const failures of [1, 2, 3]) {
      await clock.advance(1_000);
      expect([timer.failed(), timer.dueMonoMs]).toEqual([
        backoffMs(failures, random),
        clock.monoMs() + backoffMs(failures, random),
      ]);
    }
  });

  it('waits as long as the server asks', () => {
    const { timer } = setUp();
    expect(timer.failed(60_000)).toBe(backoffMs(1, random, 60_000));
  });

  it('keeps its backoff when the same thing is owed again, and begins anew after a success', () => {
    const { timer } = setUp();
    timer.failed();
    timer.failed();
    timer.failedBefore();
    expect(timer.dueMonoMs).toBe(backoffMs(2, random));
    timer.succeeded();
    expect(timer.failed()).toBe(backoffMs(1, random));
  });

  it('can come at once, which forgets the failures, or not at all, which does not', () => {
    const { timer } = setUp();
    timer.failed();
    timer.cancel();
    expect(timer.dueMonoMs).toBe(Number.POSITIVE_INFINITY);
    expect(timer.failed()).toBe(backoffMs(2, random));
    timer.atOnce();
    expect([timer.dueMonoMs, timer.failed()]).toEqual([0, backoffMs(1, random)]);
  });
});
