import { describe, expect, it } from 'vitest';
import { PublishTimer } from '../../../src/agent/output/publish-timer.ts';
import { FakeClock } from '../../fake-clock.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** A timer of an output that needs `a` and `b`, with what is awaited and what is being fetched set by the test. */
function setUp({ isPublished = true } = {}) {
  const clock = new FakeClock();
  const awaited = new Set<string>();
  const busy = new Set<string>();
  const timer = new PublishTimer({
    output: { quietMs: 10, maxWaitMs: 1_000 },
    manager: { isAwaited: (name) => awaited.has(name), isBusy: (name) => busy.has(name) },
    clock,
    names: ['a', 'b'],
  });
  if (isPublished) {
    timer.publishBegins();
    timer.isPublished();
  }
  const changeAt = async (ms: number) => {
    await clock.advance(ms - clock.monoMs());
    return timer.attemptEnded(true, false);
  };
  return { clock, awaited, busy, timer, changeAt };
}

describe('before the first publish', () => {
  it.each([
    ['each secret has answered: at once', [], 0],
    ['one answer is still to come: never', ['b'], NEVER],
  ])('%s', (_, waitsFor, due) => {
    const { timer, awaited } = setUp({ isPublished: false });
    for (const name of waitsFor) awaited.add(name);
    expect(timer.dueMonoMs()).toBe(due);
  });

  it('only the answer that is awaited last is worth another look', () => {
    const { timer, awaited } = setUp({ isPublished: false });
    awaited.add('a').add('b');
    awaited.delete('b');
    expect(timer.attemptEnded(true, true)).toBe(false);
    awaited.delete('a');
    expect([timer.attemptEnded(true, true), timer.dueMonoMs()]).toEqual([true, 0]);
  });

  it('a secret that the templates compute later is awaited too', () => {
    const { timer, awaited } = setUp({ isPublished: false });
    awaited.add('a path');
    timer.follow(['a', 'b', 'a path']);
    expect(timer.dueMonoMs()).toBe(NEVER);
  });
});

describe('after the first publish', () => {
  it.each([
    ['nothing has changed: never', [], [], NEVER],
    ['one change: after the quiet period', [100], [], 110],
    ['a change in the quiet period begins it anew', [100, 105], [], 115],
    ['a secret is being fetched: at maxWait after the first change', [100, 105], ['b'], 1_100],
    [
      'changes without a pause: at maxWait after the first',
      Array.from({ length: 200 }, (_, i) => 100 + 9 * i),
      [],
      1_100,
    ],
  ])('%s', async (_, changes, busyWith, due) => {
    const { timer, busy, changeAt } = setUp();
    for (const ms of changes) await changeAt(ms);
    for (const name of busyWith) busy.add(name);
    expect(timer.dueMonoMs()).toBe(due);
  });

  it('an attempt that brought nothing new is published only for an output that waits for secrets', () => {
    const { timer } = setUp();
    expect([timer.attemptEnded(false, false), timer.isBehind]).toEqual([false, false]);
    expect([timer.attemptEnded(false, true), timer.isBehind]).toEqual([true, true]);
  });

  it('a later change is no reason to look again while a secret is being fetched; the end of the fetch is', async () => {
    const { timer, busy, changeAt } = setUp();
    busy.add('b');
    expect([await changeAt(100), await changeAt(101)]).toEqual([true, false]);
    busy.delete('b');
    expect(timer.attemptEnded(false, false)).toBe(true);
  });

  it('a change during a publish is one more', async () => {
    const { timer, changeAt } = setUp();
    await changeAt(100);
    timer.publishBegins();
    expect(timer.isBehind).toBe(false);
    await changeAt(103);
    expect([timer.isBehind, timer.dueMonoMs()]).toEqual([true, 113]);
  });
});
