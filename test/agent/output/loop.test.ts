import { afterEach, describe, expect, it } from 'vitest';
import { OutputLoop } from '../../../src/agent/output/loop.ts';
import { createRound } from '../../../src/agent/output/reload-round.ts';
import { type Failure, fail, failure } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import type { OutputConfig } from '../../../src/config/config.ts';
import type { OutputState } from '../../../src/deliver/output-state.ts';
import type { OwedReload, ReloadMark, Sink } from '../../../src/deliver/sink.ts';
import { LeaseManager } from '../../../src/lease/manager.ts';
import type { Reload } from '../../../src/reload/reload.ts';
import type { Rendered, Renderer } from '../../../src/render/render.ts';
import { FakeClock, settle } from '../../fake-clock.ts';
import { MemoryBackend, wantsOf } from '../../memory-backend.ts';

/** A sink that keeps its generations in memory. */
class MemorySink implements Sink {
  readonly published: string[] = [];
  settled: number | undefined;
  /** Thrown by `stage` while it is set. */
  trouble: Error | undefined;
  swept = 0;

  async recover() {
    const generation = this.published.length === 0 ? undefined : this.published.length;
    return { generation, removed: 0, tmpfs: true };
  }

  async stage(files: ReadonlyMap<string, Uint8Array>) {
    if (this.trouble !== undefined) throw this.trouble;
    const text = Buffer.concat([...files.values()]).toString();
    if (text === this.published.at(-1)) return 'equal' as const;
    if (this.held !== undefined && text === this.published[this.held - 1]) return 'held' as const;
    const generation = this.published.length + 1;
    return {
      dir: '/candidate',
      generation,
      commit: async () => {
        this.published.push(text);
        return { generation, first: generation === 1 };
      },
      isIntact: async () => true,
      discard: async () => {},
    };
  }

  advanced: OwedReload | undefined;
  /** Thrown by the mark when it is written. */
  markTrouble: Error | undefined;

  readonly mark: ReloadMark = {
    owed: async () => {
      const generation = this.published.length;
      if (generation === 0 || generation === this.settled) return undefined;
      return this.advanced?.generation === generation ? this.advanced : { generation, done: [] };
    },
    advance: async (generation, done) => {
      if (this.markTrouble !== undefined) throw this.markTrouble;
      this.advanced = { generation, done };
    },
    settle: async (generation) => {
      if (this.markTrouble !== undefined) throw this.markTrouble;
      this.settled = generation;
    },
  };

  held: number | undefined;

  async kept() {
    return this.published.map((_text, at) => at + 1).filter((one) => one < this.published.length && one !== this.held);
  }

  async earlier(asked?: number) {
    const kept = await this.kept();
    const generation = asked === undefined ? kept.at(-1) : kept.find((one) => one === asked);
    if (generation === undefined) return undefined;
    return { generation, files: new Map([['f', Buffer.from(this.published[generation - 1] ?? '')]]) };
  }

  async hold(generation: number | undefined) {
    this.held = generation;
  }

  async sweep() {
    return this.swept++ === 0 ? 10_000 : undefined;
  }
}

const abort = { now: new AbortController() };
afterEach(() => {
  abort.now.abort();
  abort.now = new AbortController();
});

function setUp(more: Partial<OutputConfig> = {}, sink = new MemorySink(), { twoSteps = false, share = 0.5 } = {}) {
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  const facts: Fact[] = [];
  const emit = (fact: Fact) => facts.push(fact);
  const manager = new LeaseManager({ clock, random: () => 0.5, emit });
  const reloads: number[] = [];
  const reload = { why: undefined as Failure | undefined, takesMs: 0 };
  const changed = { now: Promise.withResolvers<void>() };
  const earlier: number[] = [];
  const first: Reload = {
    kind: 'command',
    id: 'first',
    place: 'outputs.shop.reload[0]',
    run: async (generation) => {
      earlier.push(generation);
      return undefined;
    },
  };
  const step: Reload = {
    kind: 'signal',
    id: 'last',
    untilChanged: (signal) => Promise.race([changed.now.promise, clock.sleep(9e9, signal)]),
    place: 'outputs.shop.reload[0]',
    run: async (generation, signal) => {
      reloads.push(generation);
      if (reload.takesMs > 0) await clock.sleep(reload.takesMs, signal);
      return reload.why;
    },
  };
  const renders: number[] = [];
  const renderer: Renderer = {
    wants: new Set(['a', 'b']),
    asks: new Set(),
    render: async (snapshot): Promise<Rendered> => {
      renders.push(clock.monoMs());
      const texts: string[] = [];
      for (const name of ['a', 'b']) {
        const entry = snapshot.get(name);
        if (entry === undefined || entry.state === 'absent')
          return { kind: 'waits', missing: [name], computed: new Map() };
        const value = entry.value.fields.get('password');
        texts.push(value !== undefined && 'exposeText' in value ? value.exposeText('file') : '');
      }
      if (texts.includes('bad'))
        return { kind: 'failed', why: failure('RENDER_MISSING_FIELD', 'outputs.shop', 'as told') };
      return { kind: 'files', files: new Map([['f', Buffer.from(texts.join(' '))]]), computed: new Map() };
    },
  };
  const output = {
    name: 'shop',
    dir: '/run/shop',
    mode: 0o400,
    requireTmpfs: false,
    quietMs: 10,
    maxWaitMs: 1_000,
    reloadOnFirst: false,
    files: new Map(),
    reload: [],
    ...more,
  } satisfies OutputConfig;
  const states: OutputState[] = [];
  const onState = (state: OutputState) => states.push(state);
  const onNeeds = () => {};
  const options = {
    output,
    renderer,
    sink,
    reloads: twoSteps ? [first, step] : [step],
    createRound,
    manager,
    clock,
    random: () => 0.5,
    emit,
    onState,
    onNeeds,
    reloadShare: share,
  };
  const loop = new OutputLoop(options);
  manager.onEvent((_names, what) => loop.wake(what !== 'settled'));
  /** Another loop takes the output over, as with a new configuration. */
  const follow = async () => {
    const next = new OutputLoop({ ...options, before: loop });
    const first = next.state;
    loop.retire();
    void next.run(abort.now.signal);
    await clock.advance(50);
    return { first, now: next.state };
  };
  const start = (a = '1', b = '1') => {
    backend.set('a', { password: a });
    backend.set('b', { password: b });
    manager.reconcile(wantsOf('a', 'b'), new Map([['memory', backend]]));
    void loop.run(abort.now.signal);
    return clock.advance(50);
  };
  const change = async (values: Record<string, string>) => {
    for (const [name, password] of Object.entries(values)) backend.set(name, { password });
    for (const name of Object.keys(values)) void manager.refresh(name);
    await settle();
  };
  return {
    clock,
    backend,
    manager,
    facts,
    sink,
    loop,
    follow,
    start,
    change,
    reload,
    reloads,
    earlier,
    changed,
    renders,
    states,
  };
}

describe('an output', () => {
  it('keeps its state and its generation when a new configuration takes it over', async () => {
    const { start, change, clock, follow, sink } = setUp();
    await start();
    await change({ a: '2' });
    await clock.advance(1_000);
    const settled = { kind: 'settled', generation: 2 };
    expect(await follow()).toEqual({ first: settled, now: settled });
    expect(sink.published).toHaveLength(2);
  });

  it('publishes its first generation once, and reloads nothing', async () => {
    const { start, sink, reloads, loop, facts, renders } = setUp();
    await start();
    expect([sink.published, reloads, loop.state]).toEqual([['1 1'], [], { kind: 'settled', generation: 1 }]);
    expect(facts.some(({ kind }) => kind === 'reload-skipped')).toBe(true);
    expect(renders.at(-1)).toBe(0);
  });

  it('reloads on the first generation when asked to', async () => {
    const { start, reloads } = setUp({ reloadOnFirst: true });
    await start();
    expect(reloads).toEqual([1]);
  });

  it('waits for the quiet period: secrets changed together are one generation and one reload', async () => {
    const { start, change, clock, sink, reloads } = setUp();
    await start();
    await change({ a: '2' });
    await clock.advance(5);
    await change({ b: '2' });
    await clock.advance(9);
    expect(sink.published).toEqual(['1 1']);
    await clock.advance(5);
    expect([sink.published, reloads]).toEqual([['1 1', '2 2'], [2]]);
  });

  it('waits for a running fetch of its own, but not longer than maxWait', async () => {
    const { start, change, clock, backend, manager, sink } = setUp();
    await start();
    backend.answers.set('b', () => new Promise(() => {}));
    void manager.refresh('b');
    await change({ a: '2' });
    await clock.advance(990);
    expect(sink.published).toEqual(['1 1']);
    await clock.advance(20);
    expect(sink.published).toEqual(['1 1', '2 1']);
  });

  it('a secret that waits for a failing login delays nothing: the output says which secret is missing', async () => {
    const { start, clock, backend, facts, loop } = setUp();
    const trouble = () => failure('BACKEND_UNREACHABLE', 'backends.memory.auth', 'connection refused');
    Object.assign(backend, { trouble });
    backend.set('a', { password: '1' });
    const never = () => new Promise<never>(() => {});
    const set = backend.set.bind(backend);
    backend.set = (key, fields) => (key === 'b' ? void backend.answers.set('b', never) : set(key, fields));
    await start();
    expect(loop.state).toEqual({ kind: 'waiting', missing: ['a', 'b'] });
    await clock.advance(1_000);
    expect(facts).toContainEqual({ kind: 'output-waiting', output: 'shop', missing: ['b'] });
    expect(loop.state).toEqual({ kind: 'waiting', missing: ['b'] });
  });

  it('equal bytes publish nothing and reload nothing', async () => {
    const { start, manager, backend, clock, sink, reloads, facts } = setUp();
    await start();
    backend.mint('c', 1);
    backend.answers.set('a', async () => ({ fields: new Map(), version: '9', life: { kind: 'none' } }));
    backend.set('a', { password: '1', other: 'field' });
    void manager.refresh('a');
    await clock.advance(50);
    expect([sink.published, reloads]).toEqual([['1 1'], []]);
    expect(facts.some(({ kind }) => kind === 'output-unchanged')).toBe(true);
  });

  it('with reloadSpread is published at once, and reloaded at the turn of its replica, in one go with what came since', async () => {
    const { start, change, clock, reloads, loop, facts, sink } = setUp({ reloadSpreadMs: 120_000 });
    await start();
    await change({ a: '2' });
    await clock.advance(50);
    const dueMonoMs = expect.any(Number);
    expect([sink.published.at(-1), reloads, loop.state]).toEqual([
      '2 1',
      [],
      { kind: 'owed', generation: 2, dueMonoMs },
    ]);
    expect(facts).toContainEqual({ kind: 'reload-planned', output: 'shop', generation: 2, inMs: 60_000 });
    await clock.advance(30_000);
    await change({ a: '3' });
    await clock.advance(29_000);
    expect([sink.published.at(-1), reloads]).toEqual(['3 1', []]);
    await clock.advance(1_100);
    expect([reloads, loop.state]).toEqual([[3], { kind: 'settled', generation: 3 }]);
  });

  it('with reloadSpread is reloaded at once when the lease ends that the application has', async () => {
    const { start, change, clock, backend, manager, reloads } = setUp({ reloadSpreadMs: 120_000 });
    backend.answers.set('b', { fields: { password: '1' } });
    await start();
    backend.set('a', { password: '2' }, backend.lease(100_000, false));
    await manager.refresh('a');
    await clock.advance(60_050); // its turn
    expect(reloads).toEqual([2]);
    backend.set('a', { password: '3' }, backend.lease(100_000, false));
    await manager.refresh('a'); // the old lease has 40 s left
    await clock.advance(50);
    expect(reloads).toEqual([2, 3]);
    await change({ a: '4' });
  });

  it('with reloadSpread is reloaded at once when a client asks for it', async () => {
    const { start, change, clock, reloads, loop } = setUp({ reloadSpreadMs: 120_000 });
    await start();
    await change({ a: '2' });
    await clock.advance(50);
    expect(loop.reloadAgain()).toBe(true);
    await clock.advance(50);
    expect([reloads, loop.state.kind]).toEqual([[2], 'settled']);
  });

  it('a turn that is due stays due when another configuration comes', async () => {
    const { start, change, clock, reloads, follow } = setUp({ reloadSpreadMs: 120_000 });
    await start();
    await change({ a: '2' });
    await clock.advance(10_000);
    await follow();
    await clock.advance(49_000);
    expect(reloads).toEqual([]);
    await clock.advance(1_500);
    expect(reloads).toEqual([2]);
  });

  it('a failed reload stays owed and is tried again with backoff; it causes no fetch', async () => {
    const { start, change, clock, reload, reloads, loop, backend, sink } = setUp();
    await start();
    reload.why = failure('RELOAD_NO_PROCESS', 'outputs.shop.reload[0]', 'none runs');
    await change({ a: '2' });
    const fetches = backend.fetches.length;
    await clock.advance(20_000);
    expect(reloads.length).toBeGreaterThan(2);
    expect(reloads.length).toBeLessThan(20);
    expect(loop.state).toMatchObject({ kind: 'owed', generation: 2, why: { code: 'RELOAD_NO_PROCESS' } });
    reload.why = undefined;
    await clock.advance(31_000);
    expect([loop.state, sink.settled]).toEqual([{ kind: 'settled', generation: 2 }, 2]);
    expect(backend.fetches.length).toBe(fetches);
  });

  it('a reload that was owed when the last process died is done by the next one, also on equal bytes', async () => {
    const sink = new MemorySink();
    sink.published.push('0 0', '1 1');
    sink.settled = 1;
    const { start, reloads, loop } = setUp({}, sink);
    await start();
    expect([sink.published.length, reloads, loop.state.kind]).toEqual([2, [2], 'settled']);
  });

  it('a generation replaced on the first publish of a start is owed a reload', async () => {
    const sink = new MemorySink();
    sink.published.push('0 0');
    sink.settled = 1;
    const { start, reloads } = setUp({}, sink);
    await start();
    expect([sink.published, reloads]).toEqual([['0 0', '1 1'], [2]]);
  });

  it('a step that is done is not run again when a later one fails, neither here nor after a restart', async () => {
    const one = setUp({}, undefined, { twoSteps: true });
    await one.start();
    one.reload.why = failure('RELOAD_NO_PROCESS', 'outputs.shop.reload[1]', 'none runs');
    await one.change({ a: '2' });
    await one.clock.advance(60_000);
    expect(one.reloads.length).toBeGreaterThan(3);
    expect([one.earlier, one.sink.settled]).toEqual([[2], 1]);
    abort.now.abort();
    await settle();
    abort.now = new AbortController();

    const next = setUp({}, one.sink, { twoSteps: true });
    await next.start('2', '1');
    expect([next.earlier, next.reloads, next.sink.settled]).toEqual([[], [2], 2]);
  });

  it('every step runs for a new generation, and when a client asks for a reload', async () => {
    const { start, change, clock, reload, reloads, earlier, loop } = setUp({}, undefined, { twoSteps: true });
    await start();
    reload.why = failure('RELOAD_NO_PROCESS', 'outputs.shop.reload[1]', 'none runs');
    await change({ a: '2' });
    await clock.advance(1_000);
    reload.why = undefined;
    await change({ a: '3' });
    await clock.advance(1_000);
    expect([earlier, reloads.at(-1)]).toEqual([[2, 3], 3]);
    loop.reloadAgain();
    await clock.advance(10);
    expect([earlier, reloads.slice(-2)]).toEqual([
      [2, 3, 3],
      [3, 3],
    ]);
  });

  it('its application is told once of a generation, also when the mark cannot be written', async () => {
    const { start, change, clock, reloads, loop, sink, facts, follow } = setUp();
    await start();
    sink.markTrouble = fail('OUTPUT_FULL', 'outputs.shop', 'no space');
    await change({ a: '2' });
    await clock.advance(120_000);
    expect(reloads).toEqual([2]);
    expect(loop.state).toMatchObject({ kind: 'settled', generation: 2, why: { code: 'OUTPUT_FULL' } });
    expect(facts.some(({ kind }) => kind === 'reload-failed')).toBe(false);
    expect((await follow()).now).toMatchObject({ kind: 'settled', generation: 2, why: { code: 'OUTPUT_FULL' } });
    sink.markTrouble = undefined;
    await clock.advance(31_000);
    expect([reloads, sink.settled]).toEqual([[2], 2]);
  });

  it('a first generation is not told to the application, also when the mark cannot be written', async () => {
    const { start, clock, reloads, loop, sink } = setUp();
    sink.markTrouble = fail('OUTPUT_FULL', 'outputs.shop', 'no space');
    await start();
    await clock.advance(60_000);
    expect([reloads, loop.state]).toMatchObject([[], { kind: 'settled', generation: 1, why: { code: 'OUTPUT_FULL' } }]);
    sink.markTrouble = undefined;
    await clock.advance(31_000);
    expect([sink.settled, loop.state]).toEqual([1, { kind: 'settled', generation: 1 }]);
  });

  it('is reloaded at once, with a new backoff, when what the last reload failed for has changed', async () => {
    const { start, change, clock, reload, reloads, changed, loop } = setUp();
    await start();
    reload.why = failure('RELOAD_PID_FILE', 'outputs.shop.reload[0]', 'is missing');
    await change({ a: '2' });
    await clock.advance(600_000);
    const before = reloads.length;
    reload.why = undefined;
    changed.now.resolve();
    await clock.advance(10);
    expect([reloads.length, loop.state]).toEqual([before + 1, { kind: 'settled', generation: 2 }]);
  });

  it('a new generation overtakes a reload that keeps failing, at once', async () => {
    const { start, change, clock, reload, reloads } = setUp();
    await start();
    reload.why = failure('RELOAD_PID_FILE', 'outputs.shop.reload[0]', 'empty');
    await change({ a: '2' });
    await clock.advance(60_000);
    reload.why = undefined;
    const before = reloads.length;
    await change({ a: '3' });
    await clock.advance(15);
    expect(reloads.slice(before)).toEqual([3]);
  });

  it('what was fetched under a new login is published and reloaded', async () => {
    const { start, clock, backend, manager, sink, reloads } = setUp();
    await start();
    backend.mint('b', 3_600_000);
    void manager.refresh('b');
    await clock.advance(1_100);
    expect([sink.published.at(-1), reloads]).toEqual(['1 minted-1', [2]]);
    await backend.replaceLogin();
    await clock.advance(1_100);
    expect([sink.published.at(-1), reloads]).toEqual(['1 minted-2', [2, 3]]);
  });

  it('a render error keeps the last generation until a secret changes', async () => {
    const { start, change, clock, backend, sink, loop, renders } = setUp();
    await start();
    const fetches = backend.fetches.length;
    await change({ a: 'bad' });
    await clock.advance(1_000);
    const count = renders.length;
    await clock.advance(25_000);
    expect([loop.state.kind, sink.published, renders.length]).toEqual(['failed', ['1 1'], count]);
    expect(backend.fetches.length).toBe(fetches + 1);
    await change({ a: '2' });
    await clock.advance(20);
    expect([loop.state.kind, sink.published]).toEqual(['settled', ['1 1', '2 1']]);
  });

  it('a destination in trouble is tried again by itself and fetches nothing', async () => {
    const { start, change, clock, sink, loop, backend } = setUp();
    await start();
    const fetches = backend.fetches.length;
    sink.trouble = fail('OUTPUT_FULL', 'outputs.shop', 'no space');
    await change({ a: '2' });
    await clock.advance(1_000);
    expect(loop.state).toMatchObject({ kind: 'failed', why: { code: 'OUTPUT_FULL' } });
    sink.trouble = undefined;
    await clock.advance(31_000);
    expect([sink.published, backend.fetches.length]).toEqual([['1 1', '2 1'], fetches + 1]);
  });

  it('a full destination is written within five seconds of when it has space again', async () => {
    const { start, change, clock, sink } = setUp();
    await start();
    sink.trouble = fail('OUTPUT_FULL', 'outputs.shop', 'no space');
    await change({ a: '2' });
    await clock.advance(3_600_000);
    sink.trouble = undefined;
    await clock.advance(5_000);
    expect(sink.published).toEqual(['1 1', '2 1']);
  });

  it('renders only when one of its own secrets changed', async () => {
    const { start, clock, renders } = setUp();
    await start();
    const count = renders.length;
    await clock.advance(3_600_000);
    expect(renders.length).toBe(count);
  });

  it('sweeps when the sink says that an old generation may go', async () => {
    const { start, clock, change, sink } = setUp();
    await start();
    expect(sink.swept).toBe(0); // nothing was there before
    await change({ a: '2' });
    await clock.advance(20);
    expect(sink.swept).toBe(1);
    await clock.advance(9_800);
    expect(sink.swept).toBe(1);
    await clock.advance(300);
    expect(sink.swept).toBe(2);
  });

  it('says by when its loop has come round: asleep, after it wakes; at work, after what its steps may take', async () => {
    const { start, clock, change, reload, loop } = setUp();
    await start();
    await clock.advance(60_000);
    expect(loop.dueMonoMs).toBeGreaterThan(clock.monoMs() + 60_000);
    reload.takesMs = 10_000_000;
    await change({ a: '2' });
    await clock.advance(1_000);
    const due = loop.dueMonoMs;
    await clock.advance(100_000);
    expect(loop.dueMonoMs).toBe(due);
    expect(due).toBeLessThan(clock.monoMs());
  });
});
