import { describe, expect, it } from 'vitest';
import { DriftKeeper, type LookResult } from '../../../src/agent/output/drift-keeper.ts';
import type { Fact } from '../../../src/base/fact.ts';
import type { Difference, DriftLook } from '../../../src/deliver/sink.ts';
import { FakeClock } from '../../fake-clock.ts';

const other: Difference = { of: 'content', seen: 'app.env has other bytes' };

/** A keeper over a disk that is what the test says. */
function setUp(drift?: 'report') {
  const clock = new FakeClock();
  const facts: Fact[] = [];
  const disk: { found: readonly Difference[] | Error } = { found: [] };
  let hint = () => {};
  let hints = 0;
  const look: DriftLook = {
    remember: async () => {},
    look: async () => {
      if (disk.found instanceof Error) throw disk.found;
      return disk.found;
    },
    watch: (changed) => {
      hint = changed;
      return { [Symbol.dispose]: () => {} };
    },
    note: async () => undefined,
    noted: async () => new Map(),
    spare: async () => undefined,
  };
  const keeper = new DriftKeeper({
    output: 'shop',
    place: 'outputs.shop',
    look,
    drift,
    clock,
    random: () => 0.5,
    emit: (fact) => void facts.push(fact),
    onHint: () => void hints++,
  });
  /** Looks when a look is due, `ms` long, as the loop does; a restore is put into `restores` with its time. */
  const restores: number[] = [];
  const results: LookResult['kind'][] = [];
  const run = async (ms: number, afterRestore: () => void = () => {}) => {
    const end = clock.monoMs() + ms;
    while (keeper.dueMonoMs <= end) {
      await clock.advance(Math.max(0, keeper.dueMonoMs - clock.monoMs()));
      const result = await keeper.check();
      results.push(result.kind);
      if (result.kind !== 'restore') continue;
      restores.push(clock.monoMs());
      keeper.published();
      afterRestore();
    }
    await clock.advance(end - clock.monoMs());
  };
  return { clock, facts, disk, keeper, run, restores, results, hint: () => hint(), hints: () => hints };
}

describe('published files that others change', () => {
  it('are looked at every 30 s without a hint, and 50 ms after one', async () => {
    const { run, results, hint, hints, clock } = setUp();
    await run(90_000);
    expect(results).toEqual(['same', 'same', 'same']);
    hint();
    hint();
    await run(940);
    expect(results.length).toBe(3); // looks are a second apart
    await run(60);
    expect([results.length, hints(), clock.monoMs()]).toEqual([4, 1, 91_000]);
  });

  it('are put right at once and told of once; nothing is wrong after that', async () => {
    const { run, restores, facts, keeper, disk, hint } = setUp();
    await run(31_000);
    disk.found = [other];
    hint();
    await run(100, () => {
      disk.found = [];
    });
    expect(restores).toEqual([31_050]);
    expect(facts).toMatchObject([{ kind: 'output-drifted', output: 'shop', restoreInMs: 0 }]);
    expect(keeper.why).toBeUndefined();
  });

  it('again and again are put right later each time, without a look in between, and say so', async () => {
    const { run, restores, facts, keeper, disk, results } = setUp();
    disk.found = [other];
    await run(60 * 60_000);
    expect(restores.length).toBeLessThan(25);
    expect(results.length).toBeLessThan(2 * restores.length + 2);
    const waits = restores.map((atMs, at) => atMs - (restores[at - 1] ?? 0));
    expect(Math.max(...waits)).toBeLessThanOrEqual(302_000);
    expect(facts.length).toBeLessThanOrEqual(restores.length + 1);
    expect(keeper.why).toMatchObject({
      code: 'OUTPUT_DRIFTED',
      place: 'outputs.shop',
      seen: expect.stringMatching(
        /^app\.env has other bytes; another process changes it again after \d+ restores in a row$/,
      ),
    });
  });

  it('that others put right while a restore waits are told of, and nothing is restored', async () => {
    const { run, restores, facts, keeper, disk, hint } = setUp();
    disk.found = [other];
    await run(32_100); // restored twice, and changed again
    expect([restores, keeper.why?.code]).toEqual([[30_000, 31_000], 'OUTPUT_DRIFTED']);
    disk.found = [];
    hint();
    await run(30_000);
    expect([restores, keeper.why]).toEqual([[30_000, 31_000], undefined]);
    expect(facts.map(({ kind }) => kind)).toEqual([...Array(3).fill('output-drifted'), 'output-drift-over']);
  });

  it('with drift: report are told of once, and stay as they are', async () => {
    const { run, results, restores, facts, keeper, disk } = setUp('report');
    disk.found = [other];
    await run(120_000);
    expect([restores, results]).toEqual([[], ['changed', 'same', 'same', 'same']]);
    expect(facts).toMatchObject([{ kind: 'output-drifted', failure: { code: 'OUTPUT_DRIFTED' } }]);
    expect(facts[0]).not.toHaveProperty('restoreInMs');
    disk.found = [other, { of: 'access', seen: 'mode or owner of key.pem' }];
    await run(30_000);
    expect(keeper.why?.seen).toBe('app.env has other bytes, mode or owner of key.pem');
    disk.found = [];
    await run(30_000);
    expect([facts.at(-1), keeper.why]).toEqual([{ kind: 'output-drift-over', output: 'shop' }, undefined]);
  });

  it('name three differences, and how many others there are', async () => {
    const { run, keeper, disk } = setUp('report');
    disk.found = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ of: 'content', seen: `${name} is missing` }));
    await run(30_000);
    expect(keeper.why?.seen).toBe('a is missing, b is missing, c is missing, 2 more');
  });

  it('that cannot be looked at count as changed', async () => {
    const { run, keeper, disk } = setUp('report');
    disk.found = new Error('no code');
    await run(30_000);
    expect(keeper.why?.code).toBe('OUTPUT_DRIFTED');
  });
});
