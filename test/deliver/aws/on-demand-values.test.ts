import { beforeEach, describe, expect, it } from 'vitest';
import type { Code } from '../../../src/base/codes.ts';
import { asFailure, fail } from '../../../src/base/errors.ts';
import { OnDemandValues, type Reads } from '../../../src/deliver/aws/on-demand-values.ts';
import { FakeClock, settle } from '../../fake-clock.ts';

const OPTIONS = { ttlMs: 300_000, maxEntries: 3, maxStaleMs: 3_600_000 };

let clock: FakeClock;
let values: OnDemandValues<string>;
/** What the service holds by key; a code: it answers with this failure. */
let service: Map<string, string>;
let calls: string[];
/** The failure of the next questions and reads. */
let failing: Code | undefined;
let denied = false;

beforeEach(() => {
  clock = new FakeClock();
  values = new OnDemandValues(OPTIONS, clock);
  service = new Map([...'abcde'].map((key) => [key, `${key}1`]));
  calls = [];
  failing = undefined;
  denied = false;
});

const readsOf = (key: string): Reads<string> => ({
  async read(patient) {
    calls.push(`read ${key}${patient ? ' patiently' : ''}`);
    await clock.sleep(10, new AbortController().signal);
    if (failing !== undefined) throw fail(failing, 'api', 'it fails');
    return service.get(key) ?? Promise.reject(fail('SECRET_NOT_FOUND', 'api', 'there is none'));
  },
  async isCurrent(value) {
    calls.push(`look ${key}`);
    if (denied) throw fail('SECRET_DENIED', 'api', 'DescribeSecret is not allowed');
    if (failing !== undefined) throw fail(failing, 'api', 'it fails');
    return service.get(key) === value;
  },
});

/** How the request ended: the value and its origin, or the code of the failure. */
async function get(key: string, refreshNow = false): Promise<string> {
  const answer = values.get(key, refreshNow, readsOf(key)).then(
    ({ kept, origin }) => `${kept.value} ${origin}`,
    (error: unknown) => asFailure(error, 'test').code,
  );
  await settle();
  await clock.advance(20);
  await clock.advance(20);
  return await answer;
}

describe('values that clients name', () => {
  it('are answered within the ttl without a question', async () => {
    expect(await get('a')).toBe('a1 fetched');
    service.set('a', 'a2');
    await clock.advance(290_000);
    expect(await get('a')).toBe('a1 cached');
    expect(calls).toEqual(['read a patiently']);
  });

  it('are asked about at the end of the ttl, and read again only when they changed', async () => {
    await get('a');
    await clock.advance(300_100);
    expect(await get('a')).toBe('a1 confirmed');
    await clock.advance(299_000);
    expect(await get('a')).toBe('a1 cached');
    service.set('a', 'a2');
    await clock.advance(2_000);
    expect(await get('a')).toBe('a2 fetched');
    expect(calls).toEqual(['read a patiently', 'look a', 'look a', 'read a']);
  });

  it('are read again at refreshNow, and stay when that fails', async () => {
    await get('a');
    service.set('a', 'a2');
    failing = 'SECRET_DELETED';
    expect(await get('a', true)).toBe('SECRET_DELETED');
    expect(await get('a')).toBe('a1 cached');
    failing = undefined;
    expect(await get('a', true)).toBe('a2 fetched');
    expect(await get('a')).toBe('a2 cached');
  });

  it.each<Code>([
    'BACKEND_UNREACHABLE',
    'BACKEND_TIMEOUT',
    'BACKEND_UNAVAILABLE',
    'BACKEND_MALFORMED',
    'BACKEND_THROTTLED',
    'AUTH_SERVICE_DOWN',
  ])('are answered while the service fails with %s, once a ttl', async (code) => {
    await get('a');
    await clock.advance(300_100);
    failing = code;
    expect(await get('a')).toBe('a1 stale');
    expect(await get('a')).toBe('a1 cached');
    expect(calls).toEqual(['read a patiently', 'look a']);
  });

  it('are dropped when the service has not confirmed them for maxStale, also when nobody asks', async () => {
    await get('a');
    failing = 'BACKEND_UNREACHABLE';
    for (let passed = 0; passed < 3_500_000; passed += 350_000) {
      await clock.advance(350_000);
      expect(await get('a')).toBe('a1 stale');
    }
    await clock.advance(350_000);
    expect([await get('a'), values.size]).toEqual(['BACKEND_UNREACHABLE', 0]);
    failing = undefined;
    await get('b');
    expect(values.size).toBe(1);
    await clock.advance(3_700_000);
    expect([values.size, clock.waiting]).toEqual([0, 0]);
  });

  it('are dropped when the service refuses them: an outage does not bring them back', async () => {
    await get('a');
    await clock.advance(300_100);
    failing = 'SECRET_DENIED';
    expect(await get('a')).toBe('SECRET_DENIED');
    failing = 'BACKEND_UNREACHABLE';
    expect(await get('a')).toBe('BACKEND_UNREACHABLE');
  });

  it('are kept when the keys have expired', async () => {
    await get('a');
    await clock.advance(300_100);
    failing = 'AUTH_EXPIRED';
    expect(await get('a')).toBe('AUTH_EXPIRED');
    failing = undefined;
    expect(await get('a')).toBe('a1 confirmed');
  });

  it('are read where the policy does not allow to ask about them', async () => {
    await get('a');
    denied = true;
    await clock.advance(300_100);
    expect(await get('a')).toBe('a1 fetched');
    expect(calls.slice(1)).toEqual(['look a', 'read a']);
  });

  it('make room for others, the one that was written longest ago first', async () => {
    for (const key of 'abc') await get(key);
    await get('a', true);
    await get('d');
    calls.length = 0;
    for (const key of 'acd') expect(await get(key)).toContain('cached');
    expect(await get('b')).toBe('b1 fetched');
    expect([calls, values.size]).toEqual([['read b patiently'], 3]);
  });

  it('are read once for equal requests at the same time; refreshNow waits for a read that begins after it', async () => {
    const asked = [values.get('a', false, readsOf('a')), values.get('a', false, readsOf('a'))];
    service.set('a', 'a2');
    const fresh = [values.get('a', true, readsOf('a')), values.get('a', true, readsOf('a'))];
    for (let turn = 0; turn < 4; turn++) await clock.advance(20);
    const origins = (await Promise.all([...asked, ...fresh])).map(({ kept }) => kept.value);
    expect(origins).toEqual(['a2', 'a2', 'a2', 'a2']);
    expect(calls).toHaveLength(2);
  });

  it('are not remembered when the service refuses them: the next request asks again', async () => {
    service.delete('a');
    expect([await get('a'), await get('a'), values.size]).toEqual(['SECRET_NOT_FOUND', 'SECRET_NOT_FOUND', 0]);
    service.set('a', 'a1');
    expect(await get('a')).toBe('a1 fetched');
  });

  it('are gone after the end, and after another configuration, whose clients still get what is under way', async () => {
    await get('a');
    const late = values.get('b', false, readsOf('b'));
    values.retire();
    await clock.advance(20);
    expect((await late).kept.value).toBe('b1');
    expect([values.size, clock.waiting]).toEqual([0, 0]);
  });
});
