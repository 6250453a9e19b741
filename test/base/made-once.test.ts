import { expect, it } from 'vitest';
import { madeOnce } from '../../src/base/made-once.ts';

it('what is made once is made when it is asked for first, and is the same one after that', () => {
  let count = 0;
  const table = madeOnce(() => ({ made: ++count }));
  expect(count).toBe(0);
  expect(table()).toEqual({ made: 1 });
  expect(table()).toBe(table());
});
