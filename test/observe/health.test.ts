import { describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import type { OutputState } from '../../src/deliver/output-state.ts';
import type { SecretEntry } from '../../src/lease/snapshot.ts';
import { type Readings, readiness, type SecretStanding, startProblems } from '../../src/observe/health.ts';

const NOW = 1_000_000;
const refused = failure('BACKEND_UNREACHABLE', 'backends.bao.auth', 'connection refused at http://bao');
const missing = failure('SECRET_NOT_FOUND', 'secrets.app.kv', 'HTTP 404');
const silent = failure('SECRET_NEVER_FETCHED', 'secrets.app.kv', 'no answer has come yet');
const value = { fields: new Map(), version: '1', life: { kind: 'none' } } as const;

const held = (state: 'fresh' | 'stale' | 'expired', agoMs = 0): SecretEntry =>
  ({
    state,
    value,
    fetchedWallMs: NOW - agoMs,
    changedWallMs: 0,
    valueNumber: 1,
    stateNumber: 1,
    ...(state === 'fresh' ? {} : { why: refused }),
  }) as SecretEntry;

const secret = (
  entry: SecretEntry | undefined,
  need: SecretStanding['need'] = 'required',
  name = 'app',
): SecretStanding => ({
  name,
  need,
  entry,
  reasonMissing: () => silent,
});

const absent = (optional: boolean): SecretEntry => ({ state: 'absent', why: missing, optional, stateNumber: 1 });

const standing = (secrets: readonly SecretStanding[], outputs: Record<string, OutputState> = {}) =>
  ({
    wallMs: NOW,
    loginsMissing: [],
    secrets,
    outputs: Object.entries(outputs).map(([name, state]) => ({ name, state })),
  }) satisfies Readings;

const brief = (all: readonly { code: string; place: string }[]) => all.map(({ code, place }) => `${code} ${place}`);

describe('readiness', () => {
  it.each<[string, SecretStanding, string[], string[]]>([
    ['fresh', secret(held('fresh')), [], []],
    ['stale within its bound, with a warning', secret(held('stale')), [], ['SECRET_STALE secrets.app']],
    ['expired', secret(held('expired')), ['SECRET_EXPIRED secrets.app'], []],
    ['absent', secret(absent(false)), ['SECRET_NOT_FOUND secrets.app.kv'], []],
    ['without an answer yet', secret(undefined), ['SECRET_NEVER_FETCHED secrets.app.kv'], []],
    ['optional and absent', secret(absent(true), 'optional'), [], []],
    ['optional and expired', secret(held('expired'), 'optional'), [], []],
    ['optional and stale', secret(held('stale'), 'optional'), [], []],
    ['of a computed path and absent', secret(undefined, 'computed', 'secret bao x'), [], []],
    [
      'of a computed path and expired',
      secret(held('expired'), 'computed', 'secret bao team/x'),
      ['SECRET_EXPIRED backends.bao.auth'],
      [],
    ],
  ])('a required secret that is %s', (_, one, problems, warnings) => {
    const verdict = readiness(standing([one]));
    expect([brief(verdict.problems), brief(verdict.warnings)]).toEqual([problems, warnings]);
  });

  it('an expired secret says since when and why', () => {
    const [problem] = readiness(standing([secret(held('expired', 90_000))])).problems;
    const seen = 'last known good 1m30s ago, connection refused at http://bao (BACKEND_UNREACHABLE)';
    expect(problem).toMatchObject({ seen, hint: refused.hint });
  });

  it.each<[string, OutputState, string[], string[]]>([
    ['settled', { kind: 'settled', generation: 3 }, [], []],
    [
      'settled, and the disk does not take the mark',
      { kind: 'settled', generation: 3, why: failure('OUTPUT_FULL', 'outputs.shop', 'no space') },
      [],
      ['OUTPUT_FULL outputs.shop'],
    ],
    ['owed, and the reload is on its way', { kind: 'owed', generation: 3 }, [], []],
    [
      'owed, and the reload fails',
      { kind: 'owed', generation: 3, why: failure('RELOAD_NO_PROCESS', 'outputs.shop.reload[0]', 'none') },
      [],
      ['RELOAD_NO_PROCESS outputs.shop.reload[0]'],
    ],
    ['waiting', { kind: 'waiting', missing: ['app'] }, ['OUTPUT_WAITING outputs.shop'], []],
    [
      'failed',
      { kind: 'failed', why: failure('OUTPUT_FULL', 'outputs.shop', 'no space') },
      ['OUTPUT_FULL outputs.shop'],
      [],
    ],
    ['not begun', { kind: 'waiting', missing: [] }, ['OUTPUT_WAITING outputs.shop'], []],
  ])('an output that is %s', (_, state, problems, warnings) => {
    const verdict = readiness(standing([], { shop: state }));
    expect([brief(verdict.problems), brief(verdict.warnings)]).toEqual([problems, warnings]);
  });

  it('a failed login is one problem, however many secrets wait for it', () => {
    const all = Array.from({ length: 1000 }, (_, i) => ({
      ...secret(undefined, 'required', `s${i}`),
      reasonMissing: () => refused,
    }));
    expect(brief(readiness(standing(all)).problems)).toEqual(['BACKEND_UNREACHABLE backends.bao.auth']);
  });

  it('a waiting output names five secrets at most, and no computed path', () => {
    const names = ['secret bao team/x', ...Array.from({ length: 7 }, (_, i) => `s${i}`)];
    const [problem] = readiness(standing([], { shop: { kind: 'waiting', missing: names } })).problems;
    expect(problem?.seen).toBe('the output waits for s0, s1, s2, s3, s4, 3 more');
  });
});

describe('the start', () => {
  const settled = { kind: 'settled', generation: 1 } as const;
  const begun = { kind: 'waiting', missing: [] } as const;

  it.each<[string, SecretStanding[], Record<string, OutputState>, string[], string[]]>([
    ['nothing configured', [], {}, [], []],
    ['an output that is not rendered yet', [], { a: begun }, [], ['OUTPUT_WAITING outputs.a']],
    ['one of two published', [], { a: settled, b: begun }, ['a'], ['OUTPUT_WAITING outputs.b']],
    ['one that was published and fails now', [], { a: { kind: 'failed', why: missing } }, ['a'], []],
    [
      'one that failed and never was published',
      [],
      { a: { kind: 'failed', why: missing } },
      [],
      [brief([missing])[0] ?? ''],
    ],
    ['a served secret without a value', [secret(undefined)], {}, [], ['SECRET_NEVER_FETCHED secrets.app.kv']],
    ['a served secret whose value is stale', [secret(held('stale'))], {}, [], []],
    ['an optional one without a value', [secret(undefined, 'optional')], {}, [], []],
    ['a computed one without a value', [secret(undefined, 'computed')], {}, [], []],
  ])('%s', (_, secrets, outputs, published, problems) => {
    expect(brief(startProblems(standing(secrets, outputs), new Set(published)))).toEqual(problems);
  });
});
