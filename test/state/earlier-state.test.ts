import { describe, expect, it } from 'vitest';
import type { Fetched, Life, Want } from '../../src/backend/backend.ts';
import type { KeptLogin } from '../../src/backend/kept-login.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Value } from '../../src/base/value.ts';
import {
  decodeContents,
  encodeContents,
  type KeptSecret,
  onWallClock,
  type StateContents,
} from '../../src/state/contents.ts';
import { EarlierState } from '../../src/state/earlier-state.ts';
import { FakeClock } from '../fake-clock.ts';
import { wantOf } from '../memory-backend.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const lease = (startedMonoMs: number, ttlMs = HOUR_MS, loginId = 3): Life => ({
  kind: 'lease',
  leaseId: Secret.text('lease'),
  ttlMs,
  renewable: true,
  startedMonoMs,
  loginId,
});

const fetched = (life: Life): Fetched => ({ fields: new Map([['password', Secret.text('one')]]), version: '1', life });

function login(clock: FakeClock): KeptLogin {
  const times = { ttlMs: HOUR_MS, startedMonoMs: clock.monoMs() };
  return {
    token: Secret.text('hvs.x'),
    accessor: undefined,
    renewable: true,
    loginId: 3,
    endsWithProcess: false,
    ...times,
  };
}

/** What a process with a life left on one clock, `awayMs` before another one starts, whose clock begins anew. */
function across(awayMs: number, lifeOf: (clock: FakeClock) => Life, { hasLogin = true, maxAgeMs = DAY_MS } = {}) {
  const before = new FakeClock();
  const clocks = { wallMs: before.wallMs(), monoMs: before.monoMs() };
  const { startedMonoMs, ...rest } = login(before);
  const kept: KeptSecret = {
    id: 'a',
    backend: 'memory',
    fetchedWallMs: clocks.wallMs,
    value: fetched(onWallClock(lifeOf(before), clocks)),
  };
  const logins = [
    {
      backend: 'memory',
      identity: 'memory',
      login: { ...rest, startedMonoMs: startedMonoMs + clocks.wallMs - clocks.monoMs },
    },
  ];
  const contents = { savedWallMs: clocks.wallMs, secrets: [kept], logins: hasLogin ? logins : [] };
  const read = decodeContents(encodeContents(contents)) as StateContents;
  const clock = new FakeClock(before.wallMs() + awayMs);
  const state = new EarlierState(read, maxAgeMs, () => ({ wallMs: clock.wallMs(), monoMs: clock.monoMs() }));
  return { clock, state, find: (want: Partial<Want> = {}) => state.find(wantOf('a', want)) };
}

describe('a value of an earlier process', () => {
  it.each<[string, (clock: FakeClock) => Life, number, boolean]>([
    ['a polled value within its age', () => ({ kind: 'none' }), DAY_MS, true],
    ['a polled value past its age', () => ({ kind: 'none' }), DAY_MS + 1, false],
    ['a lease before its end', (clock) => lease(clock.monoMs()), HOUR_MS - 1, true],
    ['a lease at its end', (clock) => lease(clock.monoMs()), HOUR_MS, false],
    ['a lease of a login that was not kept', (clock) => lease(clock.monoMs(), HOUR_MS, 2), 1, false],
    [
      'a password until its rotation',
      (clock) => ({ kind: 'rotates', inMs: 1000, startedMonoMs: clock.monoMs() }),
      999,
      true,
    ],
    [
      'a password after its rotation',
      (clock) => ({ kind: 'rotates', inMs: 1000, startedMonoMs: clock.monoMs() }),
      1000,
      false,
    ],
    [
      'a certificate past its end',
      (clock) => ({ kind: 'certificate', notBeforeMs: 0, notAfterMs: clock.wallMs() }),
      1,
      false,
    ],
    [
      'a token until its end',
      (clock) => ({ kind: 'ends', clock: 'mono', startMs: clock.monoMs(), endMs: clock.monoMs() + 1000, mints: true }),
      999,
      true,
    ],
    ['what was minted, within its refresh', () => ({ kind: 'none', mints: true }), 299_999, true],
    ['what was minted, past its refresh', () => ({ kind: 'none', mints: true }), 300_000, false],
  ])('%s: %#', (_, lifeOf, awayMs, isUsed) => {
    expect(across(awayMs, lifeOf).find() !== undefined).toBe(isUsed);
  });

  it('is used up to the maxStale of its secret, whatever maxAge says', () => {
    const none = () => ({ kind: 'none' }) as const;
    expect(across(1001, none).find({ maxStaleMs: 1000 })).toBeUndefined();
    expect(across(2 * DAY_MS, none).find({ maxStaleMs: 3 * DAY_MS })).toBeDefined();
  });

  it('is of use only to a want with the same id', () => {
    expect(across(1, () => ({ kind: 'none' })).find({ id: 'b' })).toBeUndefined();
  });

  it('has what is left of its life on the clock of this process', () => {
    const { clock, find } = across(600_000, (before) => lease(before.monoMs()));
    expect(find()?.value.life).toMatchObject({ ttlMs: HOUR_MS, startedMonoMs: clock.monoMs() - 600_000 });
  });

  it('counts as new when the clock was set back, and no lease or login is used', () => {
    const { clock, state, find } = across(-HOUR_MS, () => ({ kind: 'none' }));
    expect(find()?.fetchedWallMs).toBe(clock.wallMs());
    expect(state.takeLogin('memory', 'memory')).toBeUndefined();
    expect(across(-HOUR_MS, (before) => lease(before.monoMs())).find()).toBeUndefined();
  });
});

describe('a login of an earlier process', () => {
  it('is given out once, to a backend of the same name and identity, with what is left of its life', () => {
    const { clock, state } = across(600_000, () => ({ kind: 'none' }));
    expect(state.takeLogin('memory', 'other')).toBeUndefined();
    expect(state.takeLogin('other', 'memory')).toBeUndefined();
    expect(state.takeLogin('memory', 'memory')?.startedMonoMs).toBe(clock.monoMs() - 600_000);
    expect(state.takeLogin('memory', 'memory')).toBeUndefined();
  });
});

describe('what is not used yet', () => {
  const leaseOf = (before: FakeClock) => lease(before.monoMs());

  it('stays for the next file: a lease with its login until that is decided, then under its new number', () => {
    const { state } = across(1_000, leaseOf);
    const ids = () =>
      [...state.unused(() => false)].map(({ value }) => value.life.kind === 'lease' && value.life.loginId);
    state.takeLogin('memory', 'memory');
    expect([ids(), [...state.unusedLogins()].length]).toEqual([[3], 1]);
    state.decided('memory', 1);
    expect([ids(), [...state.unusedLogins()].length]).toEqual([[1], 0]);
  });

  it('is left out when it is known, or over', () => {
    expect([...across(1_000, leaseOf).state.unused(() => true)]).toEqual([]);
    expect([...across(HOUR_MS, leaseOf).state.unused(() => false)]).toEqual([]);
    expect([...across(DAY_MS + 1, () => ({ kind: 'none' })).state.unused(() => false)]).toEqual([]);
  });
});

describe('the contents of a state', () => {
  it('keep each type of value as it was', () => {
    const fields = new Map<string, Value>([
      ['__proto__', Secret.text('text')],
      ['number', Secret.number('1.10')],
      ['yes', Secret.boolean(true)],
      ['no', Secret.boolean(false)],
      ['null', Secret.null()],
      ['bytes', Secret.bytes(Uint8Array.of(0, 255, 10))],
      ['list', [Secret.text('a'), new Map([['b', Secret.text('c')]])]],
    ]);
    const original = { id: 'arn', labels: ['AWSCURRENT'], text: Secret.text('whole') };
    const value: Fetched = { fields, version: '7', life: { kind: 'none' }, original };
    const contents = { savedWallMs: 1, secrets: [{ id: 'a', backend: 'b', fetchedWallMs: 2, value }], logins: [] };
    const read = decodeContents(encodeContents(contents))?.secrets[0]?.value as Fetched;
    expect([...read.fields.keys()]).toEqual([...fields.keys()]);
    expect(
      encodeContents({ ...contents, secrets: [{ id: 'a', backend: 'b', fetchedWallMs: 2, value: read }] }),
    ).toEqual(encodeContents(contents));
    expect((read.original as { text: Secret }).text.equals(Secret.text('whole'))).toBe(true);
  });

  it.each(['', '{', '[]', 'null', '{"savedWallMs":1}', '{"savedWallMs":1,"secrets":[{}],"logins":[]}'])(
    '%j is none, and does not throw',
    (text) => {
      expect(decodeContents(Buffer.from(text))).toBeUndefined();
    },
  );
});
