import { describe, expect, it } from 'vitest';
import { LookTimes } from '../../../src/agent/output/look-times.ts';
import { RestoreTimes } from '../../../src/agent/output/restore-times.ts';
import { FakeClock } from '../../fake-clock.ts';

/** Spreads nothing. */
const middle = () => 0.5;

describe('a restore', () => {
  it('comes at once, and while others change the files again and again later each time, up to five minutes', async () => {
    const clock = new FakeClock();
    const times = new RestoreTimes(clock, middle);
    const waits: number[] = [];
    for (let round = 0; round < 12; round++) {
      const waitMs = times.dueMonoMs() - clock.monoMs();
      waits.push(waitMs / 1000);
      await clock.advance(waitMs);
      times.restores();
    }
    expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect(times.inARow).toBe(12);
  });

  it.each([
    [1, 59_000, 'later', 'a minute is not over'],
    [1, 60_000, 'at once', 'nobody touched the files for a minute'],
    [8, 255_000, 'later', 'twice the last wait is not over'],
    [8, 256_000, 'at once', 'nobody touched the files for twice the last wait'],
  ])('after %i in a row and %i ms of calm comes %s: %s', async (rounds, calmMs, when) => {
    const clock = new FakeClock();
    const times = new RestoreTimes(clock, middle);
    for (let round = 0; round < rounds; round++) {
      await clock.advance(times.dueMonoMs() - clock.monoMs());
      times.restores();
    }
    await clock.advance(calmMs);
    times.dueMonoMs();
    expect(times.inARow === 0 ? 'at once' : 'later').toBe(when);
  });

  it('of replicas whose files one tool changes does not come in step', async () => {
    const dueOf = (random: () => number) => {
      const times = new RestoreTimes(new FakeClock(), random);
      times.restores();
      return times.dueMonoMs();
    };
    expect([dueOf(() => 0), dueOf(() => 1)].map(Math.round)).toEqual([800, 1200]);
  });
});

describe('a look', () => {
  it.each([
    ['without a hint in the moment of all looks', 31_234, undefined, 60_000],
    ['soon after a hint', 31_234, 40_000, 40_050],
    ['not within a second of the last look', 31_234, 31_300, 32_234],
    ['in the moment of all looks, when a hint comes right before it', 31_234, 59_990, 60_000],
  ])('comes %s', async (_, lastMs, hintMs, dueMs) => {
    const clock = new FakeClock();
    await clock.advance(lastMs);
    const times = new LookTimes(clock);
    if (hintMs !== undefined) {
      await clock.advance(hintMs - lastMs);
      expect(times.hint()).toBe(true);
    }
    expect(times.dueMonoMs).toBe(dueMs);
  });

  it('is hinted at once until it begins: the time counts from the first hint', async () => {
    const clock = new FakeClock();
    const times = new LookTimes(clock);
    await clock.advance(5_000);
    expect(times.hint()).toBe(true);
    await clock.advance(40);
    expect([times.hint(), times.dueMonoMs]).toEqual([false, 5_050]);
    times.looks();
    expect([times.hint(), times.dueMonoMs]).toEqual([true, 6_040]);
  });
});
