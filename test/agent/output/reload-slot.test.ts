import { describe, expect, it } from 'vitest';
import { podShare } from '../../../src/agent/output/pod-share.ts';
import { ReloadSlot } from '../../../src/agent/output/reload-slot.ts';
import { FakeClock } from '../../fake-clock.ts';

function slotWorld({ share = 0.5, ends = Number.POSITIVE_INFINITY, spreadMs = 120_000 } = {}) {
  const clock = new FakeClock();
  const manager = { replacedEndsMonoMs: () => ends };
  const slot = new ReloadSlot({ spreadMs, share, manager, clock, names: () => ['app'] });
  return { clock, slot };
}

describe('the turn of a replica', () => {
  it('is at its share of the spread after the change', async () => {
    const { clock, slot } = slotWorld();
    slot.takenUp();
    await clock.advance(1_000);
    expect(slot.dueMonoMs(true)).toBe(61_000);
  });

  it('is kept by later generations, so that changes which keep coming do not put it off', async () => {
    const { clock, slot } = slotWorld();
    slot.takenUp();
    expect(slot.dueMonoMs(true)).toBe(60_000);
    await clock.advance(59_000);
    expect(slot.dueMonoMs(true)).toBe(60_000);
    slot.takenUp();
    expect(slot.dueMonoMs(true)).toBe(119_000);
  });

  it.each([
    ['within the spread', 40_000],
    ['within the grace after its turn', 89_000],
    ['before now', -5_000],
  ])('is now when what the application has ends %s', (_title, ends) => {
    const { slot } = slotWorld({ ends });
    slot.takenUp();
    expect(slot.dueMonoMs(true)).toBe(0);
  });

  it('is not now when what the application has ends long after it', () => {
    const { slot } = slotWorld({ ends: 600_000 });
    slot.takenUp();
    expect(slot.dueMonoMs(true)).toBe(60_000);
  });

  it('is now until the application is known to have a generation, and after a rollback', () => {
    const { slot } = slotWorld();
    expect(slot.dueMonoMs(true)).toBe(0);
    slot.takenUp();
    slot.now();
    expect(slot.dueMonoMs(true)).toBe(0);
  });

  it('goes over to the loop of the next configuration', async () => {
    const { clock, slot } = slotWorld();
    slot.takenUp();
    slot.dueMonoMs(true);
    await clock.advance(10_000);
    const next = new ReloadSlot({
      ...{ spreadMs: 120_000, share: 0.9, clock, names: () => [] },
      manager: { replacedEndsMonoMs: () => Number.POSITIVE_INFINITY },
    });
    next.follow(slot);
    expect(next.dueMonoMs(false)).toBe(60_000);
  });
});

describe('the share of a replica', () => {
  it('is spread evenly over the replicas of a fleet, whose names differ in their ends', () => {
    const tenths = new Array<number>(10).fill(0);
    for (let pod = 0; pod < 10_000; pod++) {
      const tenth = Math.floor(10 * (podShare({ HOSTNAME: `shop-${pod}` }, 'app') ?? 0));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  it('is the same at each call, and another one for another output', () => {
    const env = { POD_UID: 'b4a1' };
    expect(podShare(env, 'app')).toBe(podShare(env, 'app'));
    expect(podShare(env, 'app')).not.toBe(podShare(env, 'web'));
  });

  it.each([
    [{ POD_UID: 'u', POD_NAME: 'n', HOSTNAME: 'h' }, { POD_UID: 'u' }],
    [{ POD_UID: '', POD_NAME: 'n', HOSTNAME: 'h' }, { POD_NAME: 'n' }],
  ])('is made of POD_UID, POD_NAME or HOSTNAME, the first that is there: %j', (env, same) => {
    expect(podShare(env, 'app')).toBe(podShare(same, 'app'));
  });

  it('is unknown where nothing tells replicas apart', () => {
    expect(podShare({}, 'app')).toBeUndefined();
  });
});
