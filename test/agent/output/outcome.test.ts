import { describe, expect, it } from 'vitest';
import { failuresAtDeadline, outcomeOf, type Progress } from '../../../src/agent/output/outcome.ts';
import type { Code } from '../../../src/base/codes.ts';
import { failure } from '../../../src/base/errors.ts';
import type { OutputState } from '../../../src/deliver/output-state.ts';
import type { SecretEntry } from '../../../src/lease/snapshot.ts';

const value = { fields: new Map(), version: '1', life: { kind: 'none' } } as const;
const fresh: SecretEntry = {
  state: 'fresh',
  value,
  fetchedWallMs: 0,
  changedWallMs: 0,
  valueNumber: 1,
  stateNumber: 1,
};
const absent = (code: Code): SecretEntry => ({
  state: 'absent',
  why: failure(code, 'secrets.x', 'seen'),
  optional: false,
  stateNumber: 1,
});
const settled: OutputState = { kind: 'settled', generation: 1 };
const waiting = (...missing: string[]): OutputState => ({ kind: 'waiting', missing });

function progress(outputs: OutputState[], entries: Record<string, SecretEntry> = {}, trouble?: Code): Progress {
  return {
    outputs: new Map(outputs.map((state, i) => [`o${i}`, state])),
    entryOf: (name) => entries[name],
    troubleOf: (name) => (trouble === undefined ? undefined : failure(trouble, `secrets.${name}`, 'no answer')),
    reasonMissing: (name) => failure('SECRET_NEVER_FETCHED', `secrets.${name}`, 'no answer'),
  };
}

const codes = (failures: readonly { code: string }[]) => failures.map(({ code }) => code);

describe('the outcome of init', () => {
  it.each<readonly [string, Progress, string]>([
    ['done when every output is settled', progress([settled, settled]), 'done'],
    ['done when there is no output', progress([]), 'done'],
    ['running while an output waits for an answer', progress([settled, waiting('a')]), 'running'],
    ['running while an output has not started', progress([waiting()]), 'running'],
    ['running while a value is there but not published', progress([waiting('a')], { a: fresh }), 'running'],
    [
      'running on an answer worth another try',
      progress([waiting('a')], { a: absent('BACKEND_UNAVAILABLE') }),
      'running',
    ],
    [
      'failed when the disk does not take the mark of an application that was told',
      progress([{ ...settled, why: failure('OUTPUT_FULL', 'outputs.o0', 'no space') }]),
      'failed',
    ],
    ['running on a credential service that is down', progress([waiting('a')], {}, 'AUTH_SERVICE_DOWN'), 'running'],
    ['running while a reload runs', progress([{ kind: 'owed', generation: 2 }]), 'running'],
    ['failed on a definite answer', progress([waiting('a')], { a: absent('SECRET_NOT_FOUND') }), 'failed'],
    ['failed on a refused login', progress([waiting('a')], {}, 'AUTH_DENIED'), 'failed'],
    [
      'failed on a refused login while the value of another backend is there',
      progress([waiting('a', 'b')], { a: fresh }, 'AUTH_DENIED'),
      'failed',
    ],
    [
      'running while an optional secret is absent and the output not yet published',
      progress([waiting('a')], { a: { ...absent('SECRET_DENIED'), optional: true } as SecretEntry }),
      'running',
    ],
    ['failed on a kv secret that is none', progress([waiting('a')], { a: absent('SECRET_NOT_KV') }), 'failed'],
    [
      'running while others have not answered, although one answer is definite',
      progress([waiting('a', 'b')], { a: absent('SECRET_DENIED') }),
      'running',
    ],
    [
      'failed when a reload failed',
      progress([{ kind: 'owed', generation: 2, why: failure('RELOAD_NO_PROCESS', 'o', 's') }]),
      'failed',
    ],
  ])('%s', (_title, at, kind) => {
    expect(outcomeOf(at).kind).toBe(kind);
  });

  it('tells each failure once, all of them', () => {
    const why = failure('OUTPUT_FULL', 'outputs.o', 'full');
    const both = absent('SECRET_NOT_FOUND');
    const outcome = outcomeOf(progress([{ kind: 'failed', why }, waiting('a'), waiting('a')], { a: both }));
    expect(outcome.kind === 'failed' && codes(outcome.failures)).toEqual(['OUTPUT_FULL', 'SECRET_NOT_FOUND']);
  });

  it('a failure of a backend names the secrets that wait for it, one of a secret stands for itself', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const trouble = failure('BACKEND_UNREACHABLE', 'backends.bao.auth', 'connection refused at http://bao', {
      hint: 'As told.',
    });
    const at = { ...progress([waiting('a', 'b', 'x'), waiting('b')], { x: absent('SECRET_DENIED') }) };
    const told = failuresAtDeadline({ ...at, troubleOf: () => trouble });
    expect(told.map(({ place, seen, hint }) => [place, seen, hint])).toEqual([
      ['backends.bao.auth', 'connection refused at http://bao; secrets that wait for it: a, b', 'As told.'],
      ['secrets.x', 'seen', "Extend the login's policy."],
    ]);
    const many = failuresAtDeadline({ ...progress([waiting(...names)]), troubleOf: () => trouble });
    expect(many.map(({ seen }) => seen)).toEqual([
      'connection refused at http://bao; secrets that wait for it: a, b, c, d, e and 2 others',
    ]);
  });

  it('at the deadline there is at least one failure for every output that is not done', () => {
    expect(codes(failuresAtDeadline(progress([settled])))).toEqual([]);
    expect(codes(failuresAtDeadline(progress([waiting('a')])))).toEqual(['SECRET_NEVER_FETCHED']);
    expect(codes(failuresAtDeadline(progress([waiting('a')], {}, 'BACKEND_UNREACHABLE')))).toEqual([
      'BACKEND_UNREACHABLE',
    ]);
    for (const state of [waiting(), waiting('a'), { kind: 'owed', generation: 2 } as const]) {
      expect(codes(failuresAtDeadline(progress([state], { a: fresh })))).toEqual(['INIT_TIMEOUT']);
    }
  });
});
