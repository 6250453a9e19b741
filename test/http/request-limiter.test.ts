import { describe, expect, it } from 'vitest';
import { fail, failure } from '../../src/base/errors.ts';
import { URGENCY, type Urgency } from '../../src/base/urgency.ts';
import { CallCancellation } from '../../src/http/call-cancellation.ts';
import { Circuit } from '../../src/http/circuit.ts';
import { RequestLimiter, type RequestLimits, type Slot } from '../../src/http/request-limiter.ts';
import { FakeClock, settle } from '../fake-clock.ts';

const { login, ending, first, poll } = URGENCY;
const refused = failure('BACKEND_UNREACHABLE', 'backends.bao', 'connection refused');

function limiterWorld(limits: Partial<RequestLimits> = {}) {
  const clock = new FakeClock();
  const circuit = new Circuit({ clock, random: () => 0.5 });
  const limiter = new RequestLimiter({ clock, count: 2, circuit, ...limits });
  const began: string[] = [];
  const failed: string[] = [];
  const slots = new Map<string, Slot>();
  const ask = (name: string, urgency: Urgency, stop = new CallCancellation(), path?: string) => {
    limiter.take(urgency, stop, `secrets.${name}`, path).then(
      (slot) => {
        began.push(name);
        slots.set(name, slot);
      },
      (error: Error) => failed.push(error.message),
    );
    return settle();
  };
  const end = (name: string) => {
    slots.get(name)?.release();
    return settle();
  };
  return { clock, limiter, circuit, began, failed, ask, end, slots };
}

describe('requests to a backend', () => {
  it('that wait for a slot begin in the order login, renewal, first fetch, poll, and as they came', async () => {
    const { ask, end, began } = limiterWorld({ count: 1 });
    await ask('running', poll);
    await ask('poll', poll);
    await ask('first', first);
    await ask('first 2', first);
    await ask('renewal', ending);
    await ask('login', login);
    for (const name of ['running', 'login', 'renewal', 'first', 'first 2']) await end(name);
    expect(began).toEqual(['running', 'login', 'renewal', 'first', 'first 2', 'poll']);
  });

  it('that are logins and renewals do not wait for polls that hang in all slots, nor for a probe that hangs', async () => {
    const { clock, circuit, ask, end, began } = limiterWorld({ count: 2, spare: 2 });
    for (const name of ['hung 1', 'hung 2', 'poll', 'first']) await ask(name, name === 'first' ? first : poll);
    for (const name of ['renewal', 'login', 'renewal 2']) await ask(name, name === 'login' ? login : ending);
    expect(began).toEqual(['hung 1', 'hung 2', 'renewal', 'login']);
    await end('login');
    expect(began.at(-1)).toBe('renewal 2');
    for (const name of ['hung 1', 'hung 2', 'renewal', 'renewal 2', 'first', 'poll']) await end(name);
    for (let times = 0; times < 3; times++) circuit.report('/v1/a/1', { kind: 'down', failure: refused });
    await clock.advance(30_000);
    began.length = 0;
    for (const name of ['probe', 'poll 2', 'renewal 3', 'renewal 4']) {
      await ask(name, name.startsWith('renewal') ? ending : poll);
    }
    expect(began).toEqual(['probe', 'renewal 3']);
  });

  it('come at the rate of the configuration after its burst, and renewals and logins do not wait for it', async () => {
    const { clock, ask, began } = limiterWorld({ count: 16, rate: { perSecond: 2, burst: 2 } });
    for (const name of ['a', 'b', 'c', 'd']) await ask(name, poll);
    await ask('renewal', ending);
    await ask('login', login);
    expect(began).toEqual(['a', 'b', 'renewal', 'login']);
    await clock.advance(10_000);
    expect(began.slice(4)).toEqual(['c', 'd']);
  });

  it('at a rate are no more than it, and the burst, over a long time', async () => {
    const { clock, ask, end, began, slots } = limiterWorld({ count: 16, rate: { perSecond: 5, burst: 10 } });
    for (let number = 0; number < 200; number++) void ask(`${number}`, poll);
    for (let tenth = 0; tenth < 100; tenth++) {
      await clock.advance(100);
      for (const name of [...slots.keys()]) {
        await end(name);
        slots.delete(name);
      }
    }
    expect(began.length).toBeGreaterThanOrEqual(58);
    expect(began.length).toBeLessThanOrEqual(61);
  });

  it('wait for the start of their agent, but a renewal does not', async () => {
    const { clock, ask, began } = limiterWorld({ notBeforeMonoMs: 20_000 });
    await ask('login', login);
    await ask('renewal', ending);
    await clock.advance(19_999);
    expect(began).toEqual(['renewal']);
    await clock.advance(1);
    expect(began).toEqual(['renewal', 'login']);
  });

  it('that wait while the circuit opens fail with what the last request failed for, at their own places', async () => {
    const { ask, slots, failed, began } = limiterWorld({ count: 1 });
    await ask('running', poll);
    await ask('a', first);
    for (let times = 0; times < 3; times++) slots.get('running')?.report('/v1/a/1', { kind: 'down', failure: refused });
    await settle();
    await ask('b', poll);
    expect(failed).toEqual([
      expect.stringMatching(/^secrets\.a: connection refused \(BACKEND_UNREACHABLE\)/),
      expect.stringMatching(/^secrets\.b: connection refused/),
    ]);
    expect(began).toEqual(['running']);
  });

  it('wait for the probe, and begin when it brought an answer', async () => {
    const { clock, circuit, ask, end, slots, began } = limiterWorld({ count: 16 });
    for (let times = 0; times < 3; times++) circuit.report('/v1/a/1', { kind: 'down', failure: refused });
    await clock.advance(30_000);
    await ask('probe', poll);
    for (const name of ['a', 'b', 'c']) await ask(name, poll);
    expect(began).toEqual(['probe']);
    slots.get('probe')?.report('/v1/a/1', { kind: 'answer' });
    await end('probe');
    expect(began).toEqual(['probe', 'a', 'b']); // two at once at first
    slots.get('a')?.report('/v1/a/1', { kind: 'answer' });
    await end('a');
    expect(began).toEqual(['probe', 'a', 'b', 'c']);
  });

  it('do not wait behind those of a mount that hangs, which hold half of the places from the first timeout on', async () => {
    const { clock, ask, end, slots, began } = limiterWorld({ count: 8 });
    const timeout = failure('BACKEND_TIMEOUT', 'backends.bao', 'no whole answer within 10000 ms');
    const hung = Array.from({ length: 30 }, (_, nth) => `hung ${nth}`);
    for (const name of hung) await ask(name, first, undefined, `kv/data/${name}`);
    const wait = async (name: string) => {
      const fromMs = clock.monoMs();
      await ask(name, poll, undefined, `team/data/${name}`);
      while (!began.includes(name)) {
        for (const each of hung.filter((one) => slots.has(one))) {
          slots.get(each)?.report(`/v1/kv/data/${each}`, { kind: 'trouble', failure: timeout });
          await end(each);
          slots.delete(each);
          await ask(each, first, undefined, `kv/data/${each}`);
        }
        await clock.advance(10_000);
      }
      slots.get(name)?.report(`/v1/team/data/${name}`, { kind: 'answer' });
      await end(name);
      return clock.monoMs() - fromMs;
    };
    const waits: number[] = [];
    for (let nth = 0; nth < 20; nth++) waits.push(await wait(`team ${nth}`));
    expect([waits[0], Math.max(...waits.slice(1))]).toEqual([10_000, 0]);
    expect([...slots.keys()].filter((name) => name.startsWith('hung')).length).toBe(4);
  });

  it('of a mount that hangs do not wait behind the others of it once they were answered', async () => {
    const { clock, ask, end, slots, began } = limiterWorld({ count: 2 });
    const timeout = failure('BACKEND_TIMEOUT', 'backends.bao', 'no whole answer within 10000 ms');
    for (const name of ['hung', 'well']) await ask(name, poll, undefined, `kv/data/${name}`);
    slots.get('hung')?.report('/v1/kv/data/hung', { kind: 'trouble', failure: timeout });
    await end('hung');
    slots.get('well')?.report('/v1/kv/data/well', { kind: 'answer' });
    await end('well');
    for (const name of ['hung 1', 'hung 2']) await ask(name, poll, undefined, `kv/data/${name}`);
    await ask('well again', poll, undefined, 'kv/data/well');
    expect(began).toEqual(['hung', 'well', 'hung 1', 'well again']);
    await end('well again');
    await clock.advance(61_000);
    await ask('later', poll, undefined, 'kv/data/hung');
    expect(began.slice(4)).toEqual(['hung 2']);
  });

  it('pass a circuit that another mount has opened, one of a mount at a time', async () => {
    const { clock, circuit, ask, end, slots, began, failed } = limiterWorld({ count: 2 });
    for (const path of ['/v1/kv/a', '/v1/kv/b', '/v1/team/a']) circuit.report(path, { kind: 'answer' });
    await clock.advance(61_000);
    for (const name of ['hung 1', 'hung 2', 'waits']) await ask(name, poll, undefined, `kv/${name}`);
    for (const name of ['team 1', 'team 2']) await ask(name, poll, undefined, `team/${name}`);
    await clock.advance(61_000);
    const timeout = { kind: 'trouble', failure: failure('BACKEND_TIMEOUT', 'backends.bao', 'no answer') } as const;
    for (const path of ['/v1/kv/a', '/v1/kv/b', '/v1/kv/a']) slots.get('hung 1')?.report(path, timeout);
    await ask('other', poll, undefined, 'other/a');
    await ask('refused', poll, undefined, 'kv/a');
    expect([circuit.view.state, began.length, failed.length]).toEqual(['open', 2, 2]);
    for (const name of ['hung 1', 'hung 2']) await end(name);
    expect(began.slice(2)).toEqual(['team 1', 'other']);
    slots.get('team 1')?.report('/v1/team/a', { kind: 'answer' });
    await end('team 1');
    expect([circuit.view.state, began.slice(4)]).toEqual(['closed', ['team 2']]);
  });

  it('that are cancelled while they wait take no slot', async () => {
    const { ask, end, began, failed } = limiterWorld({ count: 1 });
    const stop = new CallCancellation();
    await ask('running', poll);
    await ask('gone', poll, stop);
    await ask('next', poll);
    stop.stop(fail('CANCELLED', 'secrets.gone', 'stopped'));
    await end('running');
    expect([began, failed.length]).toEqual([['running', 'next'], 1]);
  });
});
