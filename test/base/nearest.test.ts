import { expect, it } from 'vitest';
import { makeNearest } from '../../src/base/nearest.ts';

it.each([
  ['ap', 'app'],
  ['dbb', 'db'],
  ['boa', 'bao'],
  ['vk', 'kv'],
  ['A', 'a'],
  ['jsn', 'json'],
  ['SIGUP', 'SIGHUP'],
  ['pasword', 'password'],
  ['paswrd', 'password'],
  ['versoin', 'version'],
])('"%s" probably means "%s"', (word, meant) => {
  expect(makeNearest([meant, 'something-else'])(word)).toBe(meant);
});

it.each([
  ['c', 'b'],
  ['ab', 'cb'],
  ['cat', 'dog'],
  ['SIGFOO', 'SIGIOT'],
  ['data', 'date-of-birth'],
])('"%s" does not mean "%s"', (word, other) => {
  expect(makeNearest([other])(word)).toBeUndefined();
});
