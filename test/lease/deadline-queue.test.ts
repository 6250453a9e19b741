import { describe, expect, it } from 'vitest';
import { DeadlineQueue } from '../../src/lease/deadline-queue.ts';
import { FakeClock } from '../fake-clock.ts';

describe('the timer wheel', () => {
  it('wakes in order of deadline with one pending timer', async () => {
    const clock = new FakeClock();
    const wheel = new DeadlineQueue(clock, () => {});
    const woken: number[] = [];
    const deadlines = Array.from({ length: 500 }, (_, i) => ((i + 1) * 7919) % 1009);
    for (const at of deadlines) wheel.at(at, () => woken.push(at));
    expect(clock.waiting).toBe(1);
    await clock.advance(2_000);
    expect(woken).toEqual([...deadlines].sort((a, b) => a - b));
    expect(clock.waiting).toBe(0);
  });

  it('a cancelled deadline never wakes, also one in the middle of many', async () => {
    const clock = new FakeClock();
    const wheel = new DeadlineQueue(clock, () => {});
    const woken: number[] = [];
    const cancels = Array.from({ length: 100 }, (_, i) => wheel.at((i * 37) % 101, () => woken.push(i)));
    for (const [i, cancel] of cancels.entries()) if (i % 3 !== 0) cancel();
    cancels[1]?.();
    await clock.advance(200);
    expect(new Set(woken)).toEqual(new Set(Array.from({ length: 34 }, (_, i) => i * 3)));
    expect(wheel.size).toBe(0);
  });

  it('says how late it is when its timer did not come', async () => {
    const clock = new FakeClock();
    clock.after = () => () => {};
    const wheel = new DeadlineQueue(clock, () => {});
    expect(wheel.lateMs()).toBe(0);
    wheel.at(1_000, () => {});
    expect(wheel.lateMs()).toBe(0);
    await clock.advance(3_000);
    expect(wheel.lateMs()).toBe(2_000);
  });

  it('ten years ahead is ten years ahead, though a Node timer above 2^31-1 ms fires at once', async () => {
    const clock = new FakeClock();
    const naps: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (ms, wake) => {
      naps.push(ms);
      return after(ms, wake);
    };
    const wheel = new DeadlineQueue(clock, () => {});
    let woken = false;
    wheel.at(10 * 365 * 86_400_000, () => {
      woken = true;
    });
    await clock.advance(600_000);
    expect(woken).toBe(false);
    expect(Math.max(...naps)).toBeLessThanOrEqual(30_000);
  });

  it('tells a jump of the wall clock at the next wake, once, and nothing below two seconds', async () => {
    const clock = new FakeClock();
    const jumps: number[] = [];
    const wheel = new DeadlineQueue(clock, (byMs) => jumps.push(byMs));
    wheel.at(600_000, () => {});
    await clock.advance(40_000);
    clock.jumpWall(1_000);
    await clock.advance(40_000);
    expect(jumps).toEqual([]);
    clock.jumpWall(3_600_000);
    await clock.advance(40_000);
    clock.jumpWall(-7_200_000);
    await clock.advance(40_000);
    expect(jumps).toEqual([3_600_000, -7_200_000]);
  });

  it('a deadline set while waking is kept', async () => {
    const clock = new FakeClock();
    const wheel = new DeadlineQueue(clock, () => {});
    const woken: string[] = [];
    wheel.at(10, () => {
      woken.push('first');
      wheel.at(20, () => woken.push('second'));
    });
    await clock.advance(30);
    expect(woken).toEqual(['first', 'second']);
  });
});
