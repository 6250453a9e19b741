import { describe, expect, it } from 'vitest';
import { asFailure, exitStatus, fail, failure } from '../../src/base/errors.ts';
import { Releases } from '../../src/base/releases.ts';
import { SingleFlight } from '../../src/base/single-flight.ts';
import { Supervisor } from '../../src/base/supervisor.ts';

describe('single flight', () => {
  it('joins callers of one key, and remembers neither a result nor a failure', async () => {
    const flight = new SingleFlight<string, number>();
    let calls = 0;
    const call = async () => {
      calls++;
      if (calls === 1) throw new Error('first');
      return calls;
    };
    const both = await Promise.allSettled([flight.run('a', call), flight.run('a', call)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([await flight.run('a', call), await flight.run('a', call), calls]).toEqual([2, 3, 3]);
  });
});

describe('releases', () => {
  it('run once each, the last one first, and the rest also when one fails', async () => {
    const ran: number[] = [];
    const releases = new Releases();
    releases.push(() => void ran.push(1));
    releases.push(async () => {
      ran.push(2);
      throw new Error('two');
    });
    releases.push(() => void ran.push(3));
    await expect(releases.releaseAll()).rejects.toThrow('two');
    await releases.releaseAll();
    expect(ran).toEqual([3, 2, 1]);
  });
});

describe('a supervisor', () => {
  it('waits for its tasks when it stops, and reports a crash instead of losing it', async () => {
    const crashed: string[] = [];
    const supervisor = new Supervisor((task) => crashed.push(task));
    let ended = false;
    supervisor.start('good', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended = true;
    });
    supervisor.start('bad', async () => {
      throw new Error('no');
    });
    await new Promise((resolve) => setImmediate(resolve));
    await supervisor.stop();
    expect([crashed, ended]).toEqual([['bad'], true]);
  });
});

describe('failures', () => {
  it('the exit status of several failures is the first of 2, 4, 3 and 1', () => {
    const of = (...codes: Parameters<typeof failure>[0][]) => exitStatus(codes.map((code) => failure(code, 'x', 'y')));
    expect(of('SECRET_NOT_FOUND', 'BACKEND_TIMEOUT')).toBe(3);
    expect(of('BACKEND_TIMEOUT', 'SECRET_DENIED')).toBe(4);
    expect(of('SECRET_DENIED', 'CONFIG_INVALID')).toBe(2);
    expect(of('RENDER_MISSING_FIELD')).toBe(1);
  });

  it('a foreign error keeps its class and system code, never its message or fields', () => {
    const foreign = Object.assign(new RangeError('canary'), { code: 'ENOSPC', path: '/canary', value: 'canary' });
    const failed = asFailure(foreign, 'outputs.shop');
    expect(failed).toMatchObject({ code: 'INTERNAL', place: 'outputs.shop', seen: 'unexpected RangeError ENOSPC' });
    expect(JSON.stringify(failed)).not.toContain('canary');
    const odd = Object.assign(new Error('x'), { code: 'E_canary' });
    expect(JSON.stringify(asFailure(odd, 'x'))).not.toContain('canary');
  });

  it('an error of Pannier says what its failure says, and has no cause', () => {
    const error = fail('SECRET_NOT_FOUND', 'secrets.db.read', 'HTTP 404');
    expect(error.message).toBe('secrets.db.read: HTTP 404 (SECRET_NOT_FOUND). Check the path, or write the secret.');
    expect(error.cause).toBeUndefined();
  });
});
