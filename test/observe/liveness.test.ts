import { describe, expect, it } from 'vitest';
import { type BackendSigns, type LifeSigns, lifeProblems } from '../../src/observe/liveness.ts';
import { Pulse } from '../../src/observe/pulse.ts';
import { FakeClock } from '../fake-clock.ts';

const NOW = 10_000_000;
const quiet: LifeSigns = { nowMs: NOW, loopLagMs: 0, timersLateMs: 0, backends: [], outputs: [] };
const backend = (signs: Partial<BackendSigns>): LifeSigns => ({
  ...quiet,
  backends: [{ name: 'bao', attemptSinceMs: undefined, signMs: 0, timeoutMs: 10_000, loginDueMs: undefined, ...signs }],
});

describe('liveness', () => {
  it.each<[string, LifeSigns, string[]]>([
    ['all quiet', quiet, []],
    ['a lag that load explains', { ...quiet, loopLagMs: 4_999 }, []],
    ['an event loop that was blocked', { ...quiet, loopLagMs: 5_001 }, ['process']],
    ['a deadline a little past', { ...quiet, timersLateMs: 9_000 }, []],
    ['a deadline that is long past', { ...quiet, timersLateMs: 10_001 }, ['secrets']],
    ['a backend without an attempt for a day', backend({ signMs: NOW - 86_400_000 }), []],
    ['an attempt as long as its timeout', backend({ attemptSinceMs: NOW - 10_000 }), []],
    ['a long queue that moves', backend({ attemptSinceMs: NOW - 600_000, signMs: NOW - 1_000 }), []],
    ['an attempt that waits for a login announced later', backend({ attemptSinceMs: 0, signMs: NOW + 200_000 }), []],
    ['an attempt that runs far past the timeout', backend({ attemptSinceMs: NOW - 80_001 }), ['backends.bao']],
    ['a backend with a long timeout', backend({ attemptSinceMs: NOW - 80_001, timeoutMs: 60_000 }), []],
    ['a login whose renewal is to come', backend({ loginDueMs: NOW + 5 }), []],
    ['a login whose renewal is late', backend({ loginDueMs: NOW - 60_001 }), ['backends.bao.auth']],
    ['an output whose loop is on time', { ...quiet, outputs: [{ name: 'shop', dueMs: NOW }] }, []],
    ['an output that hangs', { ...quiet, outputs: [{ name: 'shop', dueMs: NOW - 1 }] }, ['outputs.shop']],
  ])('%s', (_, signs, places) => {
    const problems = lifeProblems(signs);
    expect(problems.map(({ place }) => place)).toEqual(places);
    for (const { code } of problems) expect(code).toBe('AGENT_STALLED');
  });
});

describe('the pulse', () => {
  it('has no lag while each beat comes in time, and reports each beat', async () => {
    const clock = new FakeClock();
    using pulse = new Pulse(clock);
    const beats: number[] = [];
    pulse.onBeat((lagMs) => beats.push(lagMs));
    await clock.advance(7_000);
    expect([pulse.lagMs(), beats]).toEqual([0, [0, 0, 0]]);
  });

  it('a beat that is overdue shows before it comes, and for one beat after it', async () => {
    const clock = new FakeClock();
    const late: (() => void)[] = [];
    const blocked = {
      wallMs: () => clock.wallMs(),
      monoMs: () => clock.monoMs(),
      sleep: async () => {},
      after: (_ms: number, wake: () => void) => {
        late.push(wake);
        return () => {};
      },
    };
    using pulse = new Pulse(blocked);
    expect(pulse.lagMs()).toBe(0);
    await clock.advance(9_000);
    expect(pulse.lagMs()).toBe(7_000);
    late.pop()?.();
    expect(pulse.lagMs()).toBe(7_000);
    await clock.advance(2_000);
    late.pop()?.();
    expect(pulse.lagMs()).toBe(0);
  });

  it('does not wake an agent that nobody asks, and beats for five minutes after a question', async () => {
    const clock = new FakeClock();
    using pulse = new Pulse(clock);
    expect(clock.waiting).toBe(0);
    pulse.lagMs();
    await clock.advance(299_000);
    expect(clock.waiting).toBe(1);
    await clock.advance(2_000);
    expect(clock.waiting).toBe(0);
    pulse.lagMs();
    expect(clock.waiting).toBe(1);
  });

  it('leaves no timer behind', () => {
    const clock = new FakeClock();
    const pulse = new Pulse(clock);
    pulse.lagMs();
    pulse[Symbol.dispose]();
    expect(clock.waiting).toBe(0);
  });
});
