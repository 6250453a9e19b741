import { describe, expect, it } from 'vitest';
import * as yaml from 'yaml';
import { MAX_ERRORS, parseBounded } from '../../src/base/bounded-yaml.ts';

describe('a text of YAML', () => {
  it.each([
    ['brackets that close nothing', ']'.repeat(10_000)],
    ['escapes that are unknown', `"${'\\q'.repeat(10_000)}"`],
    ['characters that are reserved', `[${'@,'.repeat(10_000)}]`],
    ['commas without a value', `[${','.repeat(10_000)}]`],
    ['directives', `${'%YAML\n'.repeat(10_000)}--- 1`],
  ])('with thousands of %s is given up at one error more than is told', (_, text) => {
    const { contents, errors } = parseBounded(yaml, text);
    expect(errors).toHaveLength(MAX_ERRORS + 1);
    expect(errors.map(({ pos }) => pos[0])).toEqual(errors.map(({ pos }) => pos[0]).sort((a, b) => a - b));
    expect(contents).toBeNull();
  });

  it('keeps as many warnings, and is read to its end', () => {
    const { errors, warnings, contents } = parseBounded(yaml, `[${'!x a,'.repeat(1000)}]`);
    expect([errors.length, warnings.length]).toEqual([0, MAX_ERRORS + 1]);
    expect((contents as unknown as yaml.YAMLSeq).items).toHaveLength(1000);
  });

  it('with fewer errors has all of them, and what could be read', () => {
    const { errors, contents } = parseBounded(yaml, `["${'\\q'.repeat(MAX_ERRORS)}", 1]`);
    expect(errors).toHaveLength(MAX_ERRORS);
    expect((contents as unknown as yaml.YAMLSeq).items).toHaveLength(2);
  });

  it('that is empty is a document without a value', () => {
    expect(parseBounded(yaml, '')).toMatchObject({ contents: null, errors: [] });
  });
});
