import { describe, expect, it } from 'vitest';
import { JsonError, parseJson } from '../../src/base/json.ts';
import { isFields, isList, type Value } from '../../src/base/value.ts';

function plain(value: Value): unknown {
  if (isList(value)) return value.map(plain);
  if (isFields(value)) return Object.fromEntries([...value].map(([name, item]) => [name, plain(item)]));
  const text = value.exposeText('file');
  return value.type === 'string' ? text : JSON.parse(text);
}

describe('parseJson', () => {
  it.each([
    '{"a":1,"b":[true,false,null,"x"],"c":{"d":{}}}',
    ' [ ] ',
    '"\\u00e9\\n\\"\\\\ \\ud83d\\ude00"',
    '-0.5e-10',
    '{"":""}',
    '"no \u2028 escape"',
  ])('reads %s as JSON.parse does', (text) => {
    expect(plain(parseJson(text))).toEqual(JSON.parse(text));
  });

  it.each(['9007199254740993', '1.10', '1e400', '-0'])('keeps the source text of the number %s', (text) => {
    const value = parseJson(text);
    expect(isList(value) || isFields(value) ? '' : value.exposeText('file')).toBe(text);
  });

  it('names such as __proto__ and constructor are ordinary fields, and order is kept', () => {
    const value = parseJson('{"z":1,"__proto__":{"polluted":true},"constructor":2,"1":3}');
    expect(isFields(value) ? [...value.keys()] : []).toEqual(['z', '__proto__', 'constructor', '1']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    ['', 0],
    ['{"a":canary}', 5],
    ['{"a":"canary', 5],
    ['{"canary" 1}', 10],
    ['[1,]', 3],
    ['01', 1],
    ['"\\ucana"', 0],
    ['"a\nb"', 2],
    ['<html>canary</html>', 0],
    ['{"a":1} canary', 8],
    ['nul', 0],
  ])('refuses %j with the offset and none of the text', (text, offset) => {
    let caught: unknown;
    try {
      parseJson(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(JsonError);
    expect((caught as JsonError).offset).toBe(offset);
    expect((caught as JsonError).message).not.toContain('canary');
  });

  it('refuses nesting that would exhaust the stack', () => {
    expect(() => parseJson('['.repeat(100_000))).toThrow(JsonError);
  });
});
