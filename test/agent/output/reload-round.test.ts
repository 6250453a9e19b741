import { describe, expect, it } from 'vitest';
import { ReloadProgress } from '../../../src/agent/output/reload-progress.ts';
import { ReloadRound } from '../../../src/agent/output/reload-round.ts';
import { RetryTimer } from '../../../src/agent/output/retry-timer.ts';
import { backoffMs } from '../../../src/base/backoff.ts';
import { type Failure, failure } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import type { Reload } from '../../../src/reload/reload.ts';
import { FakeClock, settle } from '../../fake-clock.ts';

const refused = failure('RELOAD_NO_PROCESS', 'outputs.shop.reload[0]', 'there is no such process');
const random = () => 0.5;

/** A round of as many steps as there are letters in `steps`; generation 7 is published and owed. */
async function setUp(steps: string) {
  const clock = new FakeClock();
  const facts: Fact[] = [];
  const ran: string[] = [];
  const trouble = new Map<string, Failure>();
  const changed = new Map<string, () => void>();
  const stop = new AbortController();
  const abortIn = new Set<string>();
  const reloads = [...steps].map(
    (id): Reload => ({
      kind: 'signal',
      id,
      place: `outputs.shop.reload[${steps.indexOf(id)}]`,
      run: async (generation) => {
        ran.push(`${id}${generation}`);
        if (abortIn.has(id)) stop.abort();
        return trouble.get(id);
      },
      untilChanged: () => new Promise((resolve) => changed.set(id, resolve)),
    }),
  );
  const written: string[] = [];
  const mark = {
    owed: async () => ({ generation: 7, done: [] }),
    advance: async (generation: number, done: readonly string[]) => void written.push(`${generation} ${done.join('')}`),
    settle: async (generation: number) => void written.push(`${generation}`),
  };
  const progress = new ReloadProgress(mark, reloads, 'outputs.shop');
  await progress.owed();
  const retry = new RetryTimer(clock, random);
  let changes = 0;
  const emit = (fact: Fact) => void facts.push(fact);
  const round = new ReloadRound({ output: 'shop', progress, retry, clock, emit, onChanged: () => changes++ });
  return {
    run: () => round.run(7, stop.signal),
    round,
    retry,
    ran,
    trouble,
    changed,
    stop,
    abortIn,
    written,
    changes: () => changes,
    kinds: () => facts.map(({ kind }) => kind),
  };
}

describe('a round of a reload', () => {
  it('runs every step in order, and writes down how far it came', async () => {
    const { run, ran, written, kinds } = await setUp('abc');
    expect(await run()).toEqual({ kind: 'done' });
    expect([ran, written]).toEqual([
      ['a7', 'b7', 'c7'],
      ['7 a', '7 ab', '7'],
    ]);
    expect(kinds()).toEqual(['reload-step', 'reload-step', 'reload-step', 'reload-done']);
  });

  it('without steps is done, and tells nothing', async () => {
    const { run, written, kinds } = await setUp('');
    expect([await run(), written, kinds()]).toEqual([{ kind: 'done' }, ['7'], []]);
  });

  it('ends at the first step that fails, and the next round goes on there', async () => {
    const { run, ran, trouble, retry, kinds } = await setUp('abc');
    trouble.set('b', refused);
    expect(await run()).toEqual({ kind: 'failed', why: refused });
    expect([ran, retry.dueMonoMs]).toEqual([['a7', 'b7'], backoffMs(1, random)]);
    expect(kinds().at(-1)).toBe('reload-failed');
    trouble.clear();
    expect([await run(), ran]).toEqual([{ kind: 'done' }, ['a7', 'b7', 'b7', 'c7']]);
  });

  it('that is aborted is no failure', async () => {
    const { run, ran, trouble, stop, kinds } = await setUp('ab');
    trouble.set('a', refused);
    stop.abort();
    expect([await run(), ran, kinds()]).toEqual([{ kind: 'aborted' }, [], []]);
  });

  it('that is aborted while a step runs is no failure either, and its next step does not run', async () => {
    for (const why of [refused, undefined]) {
      const { run, ran, trouble, abortIn, kinds } = await setUp('ab');
      if (why !== undefined) trouble.set('a', why);
      abortIn.add('a');
      expect([await run(), ran]).toEqual([{ kind: 'aborted' }, ['a7']]);
      expect(kinds()).toEqual(why === undefined ? ['reload-step'] : []);
    }
  });

  it('tells once that what it failed for has changed, and not when another round has begun', async () => {
    const { run, round, trouble, changed, changes } = await setUp('a');
    trouble.set('a', refused);
    await run();
    const first = changed.get('a');
    await run();
    first?.();
    await settle();
    expect(changes()).toBe(0);
    changed.get('a')?.();
    await settle();
    expect(changes()).toBe(1);
    await run();
    round.stopLooking();
    changed.get('a')?.();
    await settle();
    expect(changes()).toBe(1);
  });
});
