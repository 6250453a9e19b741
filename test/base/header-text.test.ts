import { describe, expect, it } from 'vitest';
import { isFieldValue, isHeaderText, isHeaderToken } from '../../src/base/header-text.ts';

describe('what an HTTP header can carry', () => {
  it.each([
    ['hvs.CAESIJ', true, true, true],
    ['Bearer abc', false, true, true],
    [' abc', false, false, false],
    ['abc\n', false, false, false],
    ['a\nb', false, false, false],
    ['a\tb', false, false, true],
    ['grün', false, false, true],
    ['€', false, false, false],
    ['', false, false, true],
  ])('%j is a token: %s, text: %s, a field value: %s', (text, token, value, field) => {
    expect([isHeaderToken(text), isHeaderText(text), isFieldValue(text)]).toEqual([token, value, field]);
  });
});
