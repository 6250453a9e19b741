import { describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import { Circuit, type CircuitView, type Outcome } from '../../src/http/circuit.ts';
import { FakeClock } from '../fake-clock.ts';

const down: Outcome = { kind: 'down', failure: failure('BACKEND_UNREACHABLE', 'backends.bao', 'connection refused') };
const trouble: Outcome = { kind: 'trouble', failure: failure('BACKEND_UNAVAILABLE', 'backends.bao', 'HTTP 500') };
const answer: Outcome = { kind: 'answer' };

function circuitWorld(random = () => 0.5) {
  const clock = new FakeClock();
  const changes: CircuitView[] = [];
  const outages: number[] = [];
  const recovered = (outageMs: number) => outages.push(outageMs);
  const circuit = new Circuit({ clock, random, changed: (view) => changes.push(view), recovered });
  const report = (outcome: Outcome, ...paths: string[]) => {
    for (const path of paths) circuit.report(path, outcome);
  };
  return { clock, circuit, report, changes, outages, state: () => circuit.view.state };
}

describe('the circuit breaker of a backend', () => {
  it('opens after three failures to connect in a row, whatever the paths, and then nothing is sent', () => {
    const { circuit, report, state } = circuitWorld();
    report(down, '/v1/secret/data/a', '/v1/secret/data/a');
    expect([state(), circuit.refusal(false)]).toEqual(['closed', undefined]);
    report(down, '/v1/secret/data/a');
    expect(state()).toBe('open');
    expect(circuit.refusal(false)).toMatchObject({ code: 'BACKEND_UNREACHABLE', seen: 'connection refused' });
  });

  it('says when the backend answers again, and how long ago the first failure was', async () => {
    const { clock, circuit, report, outages } = circuitWorld();
    report(down, '/v1/a/1');
    report(answer, '/v1/a/1');
    await clock.advance(60_000);
    report(down, '/v1/a/1', '/v1/a/1', '/v1/a/1');
    await clock.advance(90_000);
    circuit.begin();
    expect(outages).toEqual([]);
    report(answer, '/v1/a/1', '/v1/a/1');
    expect(outages).toEqual([90_000]);
  });

  it('stays closed while an answer comes in between', () => {
    const { report, state } = circuitWorld();
    for (let round = 0; round < 5; round++) {
      report(down, '/v1/a/1', '/v1/a/2');
      report(answer, '/v1/a/3');
    }
    expect(state()).toBe('closed');
  });

  it.each([
    ['one secret that fails again and again', ['/v1/secret/data/a'], ['/v1/secret/data/b']],
    ['all secrets of one mount that fail', ['/v1/database/creds/a', '/v1/database/creds/b'], ['/v1/secret/data/b']],
    ['two of many secrets of a mount that fail', ['/v1/kv/a', '/v1/kv/b'], ['/v1/kv/c', '/v1/kv/d']],
  ])('is not opened by %s', (_title, failing, good) => {
    const { report, state } = circuitWorld();
    report(answer, ...failing, ...good);
    for (let round = 0; round < 20; round++) report(trouble, ...failing);
    expect(state()).toBe('closed');
  });

  it('opens when the paths of several mounts fail with no answer in between', () => {
    const { report, state } = circuitWorld();
    report(answer, '/v1/secret/data/a', '/v1/database/creds/b', '/v1/secret/data/c');
    report(trouble, '/v1/secret/data/a', '/v1/database/creds/b', '/v1/secret/data/c');
    expect(state()).toBe('open');
  });

  it('opens when all fails that was asked for within the last minute, though another mount was well before', async () => {
    const { clock, report, state } = circuitWorld();
    const polled = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `/v1/secret/data/${name}`);
    report(answer, '/v1/database/creds/b', '/v1/auth/approle/login', ...polled);
    await clock.advance(30_000);
    report(trouble, ...polled, ...polled);
    expect(state()).toBe('closed');
    report(answer, ...polled);
    await clock.advance(31_000);
    report(trouble, ...polled.slice(0, 4));
    expect(state()).toBe('closed');
    report(trouble, ...polled.slice(4));
    expect(state()).toBe('open');
  });

  it('is not opened by the only secret of a mount, whenever the others were asked for', async () => {
    const { clock, report, state } = circuitWorld();
    report(answer, '/v1/secret/data/a', '/v1/database/creds/b');
    await clock.advance(600_000);
    for (let round = 0; round < 20; round++) report(trouble, '/v1/database/creds/b');
    expect(state()).toBe('closed');
  });

  describe('that one mount has opened, while no other was asked', () => {
    const [a, b, database, team] = [
      '/v1/secret/data/a',
      '/v1/secret/data/b',
      '/v1/database/creds/c',
      '/v1/team/data/d',
    ];

    async function openedByOne() {
      const world = circuitWorld();
      const { clock, circuit, report } = world;
      report(answer, a, b, database, team, '/v1/auth/approle/login');
      await clock.advance(61_000);
      report(trouble, a, b, a, b, a, b);
      const isRefused = (path: string) => circuit.refusal(false, circuit.ask(path)) !== undefined;
      const refused = () => [a, database, team, '/v1/new/data/e'].map(isRefused);
      return { ...world, refused };
    }

    it('is passed by the others, and does not open for that mount again before it has answered', async () => {
      const { clock, report, refused, state } = await openedByOne();
      expect([state(), refused()]).toEqual(['open', [true, false, false, false]]);
      report(answer, database);
      expect([state(), refused()]).toEqual(['closed', [false, false, false, false]]);
      await clock.advance(600_000);
      report(trouble, a, b, a, b, a, b);
      expect(state()).toBe('closed');
      report(answer, a);
      await clock.advance(600_000);
      report(trouble, a, b, a, b);
      expect(state()).toBe('open');
    });

    it('is passed by no other when a second mount has failed', async () => {
      const { report, refused } = await openedByOne();
      report(trouble, database);
      expect(refused()).toEqual([true, true, true, true]);
    });

    it('opens for that mount again when only a login was answered', async () => {
      const { clock, report, state } = await openedByOne();
      report(answer, '/v1/auth/approle/login');
      await clock.advance(600_000);
      report(trouble, a, b, a, b);
      expect(state()).toBe('open');
    });

    it('opens when all the others fail too, although that mount no longer counts', async () => {
      const { clock, report, state } = await openedByOne();
      report(answer, database);
      await clock.advance(600_000);
      report(trouble, database, team, database);
      expect(state()).toBe('open');
    });
  });

  it('lets one request through after the pause, and the others wait for it', async () => {
    const { clock, circuit, report, state } = circuitWorld();
    report(down, '/v1/a/1', '/v1/a/1', '/v1/a/1');
    await clock.advance((circuit.view.probeMonoMs ?? 0) - 1);
    expect(circuit.refusal(false)).toBeDefined();
    await clock.advance(1);
    expect(circuit.refusal(false)).toBeUndefined();
    expect([circuit.begin(), state(), circuit.width]).toEqual([true, 'half-open', 1]);
    expect(circuit.refusal(false)).toBeUndefined(); // it waits, and does not fail
  });

  it('closes with the first answer, and lets twice as many requests through with each further one', async () => {
    const { clock, circuit, report, state } = circuitWorld();
    report(down, '/v1/a/1', '/v1/a/1', '/v1/a/1');
    await clock.advance(30_000);
    circuit.begin();
    report(answer, '/v1/a/1');
    expect([state(), circuit.width]).toEqual(['closed', 2]);
    report(answer, '/v1/a/1', '/v1/a/1');
    expect(circuit.width).toBe(8);
  });

  it('pauses longer after each probe that fails, with full jitter, up to 30 s', async () => {
    const pauses = async (random: () => number) => {
      const { clock, circuit, report } = circuitWorld(random);
      report(down, '/v1/a/1', '/v1/a/1');
      const found: number[] = [];
      for (let probe = 0; probe < 8; probe++) {
        circuit.begin();
        report(down, '/v1/a/1');
        found.push((circuit.view.probeMonoMs ?? 0) - clock.monoMs());
        await clock.advance(found.at(-1) ?? 0);
      }
      return found;
    };
    expect(await pauses(() => 1)).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
    expect(new Set(await pauses(() => 0))).toEqual(new Set([250]));
  });

  it('waits as long as the server asks with Retry-After', () => {
    const { circuit, report } = circuitWorld(() => 0);
    const busy = failure('BACKEND_THROTTLED', 'backends.bao', 'HTTP 429', { retryAfterMs: 90_000 });
    report({ kind: 'trouble', failure: busy }, '/v1/a/1', '/v1/b/2', '/v1/c/3');
    expect(circuit.view.probeMonoMs).toBe(90_000);
  });

  it('lets an urgent request through a second after the last failure', async () => {
    const { clock, circuit, report } = circuitWorld(() => 1);
    report(down, '/v1/a/1', '/v1/a/1', '/v1/a/1', '/v1/a/1', '/v1/a/1');
    expect(circuit.refusal(true)).toBeDefined();
    await clock.advance(1_000);
    expect([circuit.refusal(true), circuit.refusal(false)?.code]).toEqual([undefined, 'BACKEND_UNREACHABLE']);
  });

  it('asks again when the probe was cancelled', async () => {
    const { clock, circuit, report, state } = circuitWorld();
    report(down, '/v1/a/1', '/v1/a/1', '/v1/a/1');
    await clock.advance(30_000);
    circuit.begin();
    circuit.probeLost();
    expect([state(), circuit.refusal(false)]).toEqual(['open', undefined]);
  });

  it('tells of each change of its state, with the reason', async () => {
    const { clock, circuit, report, changes } = circuitWorld();
    report(down, '/v1/a/1', '/v1/a/1', '/v1/a/1', '/v1/a/1');
    await clock.advance(30_000);
    circuit.begin();
    report(answer, '/v1/a/1');
    expect(changes.map(({ state, failure: why }) => [state, why?.seen])).toEqual([
      ['open', 'connection refused'],
      ['half-open', 'connection refused'],
      ['closed', undefined],
    ]);
  });
});
