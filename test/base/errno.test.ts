import { describe, expect, it } from 'vitest';
import { errnoOf, errnoWord } from '../../src/base/errno.ts';
import { fail } from '../../src/base/errors.ts';
import { FileCallError } from '../../src/base/file-call.ts';

const withCode = (code: unknown): Error => Object.assign(new Error('a secret value'), { code });

describe('the code of a system error', () => {
  it.each([
    ['ENOENT', withCode('ENOENT')],
    ['E2BIG', withCode('E2BIG')],
    ['ETIMEDOUT', new FileCallError('ETIMEDOUT')],
  ])('%s is shown', (code, error) => {
    expect([errnoOf(error), errnoWord(error)]).toEqual([code, code]);
  });

  it.each([
    ['EFTYPE', 'it is not a regular file'],
    ['EFBIG', 'it is too large'],
  ])('%s of a read of Pannier is said in words', (code, words) => {
    expect([errnoOf(withCode(code)), errnoWord(withCode(code))]).toEqual([code, words]);
  });

  it.each([
    ['an error without a code', new Error('a secret value')],
    ['an error of Node itself', withCode('ERR_INVALID_ARG_VALUE')],
    ['a code that is text of another kind', withCode('Error: hunter2')],
    ['a code that is a number', withCode(2)],
    ['a failure of Pannier', fail('INTERNAL', 'process', 'ENOENT')],
    ['null', null],
    ['undefined', undefined],
  ])('%s has none, and a message says unknown', (_, error) => {
    expect([errnoOf(error), errnoWord(error)]).toEqual([undefined, 'unknown']);
  });
});
