import { describe, expect, it } from 'vitest';
import { createLineMask, HIDDEN } from '../../src/cli/render/masked-lines.ts';

describe('the line that is shown for a line of a real file', () => {
  it.each<[string, readonly string[], string, string]>([
    ['that holds no value', ['[main]', 'a=[secret]'], '[main]', '[main]'],
    ['with another value', ['user=[secret]', 'password=[secret]'], 'password=old', 'password=[secret]'],
    ['with an empty value', ['a=[secret];'], 'a=;', 'a=[secret];'],
    ['with several values', ['[secret]:[secret]@db'], 'u:p@db', '[secret]:[secret]@db'],
    [
      'that several masked lines fit is the one with the most text',
      ['[secret]', '[secret]=[secret]', 'a=[secret]'],
      'a=b',
      'a=[secret]',
    ],
    ['inside a value of many lines', ['[secret]', 'a=[secret]'], 'MIIB', '[secret]'],
    ['that fits none', ['a=[secret]'], 'b=hunter2', HIDDEN],
    ['that fits the ends only where they overlap', ['aba[secret]aba'], 'aba', HIDDEN],
    ['that has the parts in another order', ['[secret]x[secret]y'], 'yx', HIDDEN],
    ['of a file that is no longer rendered', [''], 'hunter2', HIDDEN],
  ])('%s', (_, masked, line, shown) => {
    expect(createLineMask(masked)(line)).toBe(shown);
  });
});
