import { describe, expect, it } from 'vitest';
import { DeadlineQueue } from '../../src/lease/deadline-queue.ts';
import { FakeClock } from '../fake-clock.ts';

describe('the deadline queue', () => {
  it('wakes in order of deadline with one pending timer', async () => {
    const clock = new FakeClock();
    const queue = new DeadlineQueue(clock, () => {});
    const woken: number[] = [];
    const deadlines = Array.from({ length: 500 }, (_, i) => ((i + 1) * 7919) % 1009);
    for (const at of deadlines) queue.at(at, () => woken.push(at));
    expect(clock.waiting).toBe(1);
    await clock.advance(2_000);
    expect(woken).toEqual([...deadlines].sort((a, b) => a - b));
    expect(clock.waiting).toBe(0);
  });

  it('a cancelled deadline never wakes, also one in the middle of many', async () => {
    const clock = new FakeClock();
    const queue = new DeadlineQueue(clock, () => {});
    const woken: number[] = [];
    const cancels = Array.from({ length: 100 }, (_, i) => queue.at((i * 37) % 101, () => woken.push(i)));
    for (const [i, cancel] of cancels.entries()) if (i % 3 !== 0) cancel();
    cancels[1]?.();
    await clock.advance(200);
    expect(new Set(woken)).toEqual(new Set(Array.from({ length: 34 }, (_, i) => i * 3)));
    expect(queue.size).toBe(0);
  });

  it('a cancelled deadline wakes nothing, and the clocks are compared each 30 s all the same', async () => {
    const clock = new FakeClock();
    let wakes = 0;
    const realAfter = clock.after.bind(clock);
    clock.after = (ms, wake) =>
      realAfter(ms, () => {
        wakes++;
        wake();
      });
    const jumps: number[] = [];
    const queue = new DeadlineQueue(clock, (byMs) => jumps.push(byMs));
    queue.at(100_000, () => {});
    for (let at = 0; at < 20_000; at += 1_000) {
      queue.at(at + 1_000, () => {})();
      await clock.advance(1_000);
    }
    expect(wakes).toBe(0);
    clock.jumpWall(60_000);
    await clock.advance(10_000);
    expect([wakes, jumps]).toEqual([1, [60_000]]);
  });

  it('says how late it is when its timer did not fire', async () => {
    const clock = new FakeClock();
    clock.after = () => () => {};
    const queue = new DeadlineQueue(clock, () => {});
    expect(queue.lateMs()).toBe(0);
    queue.at(1_000, () => {});
    expect(queue.lateMs()).toBe(0);
    await clock.advance(3_000);
    expect(queue.lateMs()).toBe(2_000);
  });

  it('keeps a deadline ten years ahead, although a Node timer above 2^31-1 ms fires at once', async () => {
    const clock = new FakeClock();
    const naps: number[] = [];
    const realAfter = clock.after.bind(clock);
    clock.after = (ms, wake) => {
      naps.push(ms);
      return realAfter(ms, wake);
    };
    const queue = new DeadlineQueue(clock, () => {});
    let woken = false;
    queue.at(10 * 365 * 86_400_000, () => {
      woken = true;
    });
    await clock.advance(600_000);
    expect(woken).toBe(false);
    expect(Math.max(...naps)).toBeLessThanOrEqual(30_000);
  });

  it('reports a jump of the wall clock once, at the end of the nap, and none below two seconds', async () => {
    const clock = new FakeClock();
    const jumps: number[] = [];
    const queue = new DeadlineQueue(clock, (byMs) => jumps.push(byMs));
    queue.at(600_000, () => {});
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

  it('a deadline that is set while another one wakes is kept', async () => {
    const clock = new FakeClock();
    const queue = new DeadlineQueue(clock, () => {});
    const woken: string[] = [];
    queue.at(10, () => {
      woken.push('first');
      queue.at(20, () => woken.push('second'));
    });
    await clock.advance(30);
    expect(woken).toEqual(['first', 'second']);
  });
});
