import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { equalValues, type Value } from '../../src/base/value.ts';

const canary = 'c4nary-v4lue';

describe('a Secret', () => {
  it('stays hidden however it is printed', () => {
    const secret = Secret.text(canary);
    const nested = { secret, list: [secret], map: new Map([['a', secret]]) };
    const shown = [
      `${secret}`,
      String(secret),
      JSON.stringify(nested),
      inspect(nested, { depth: 9, showHidden: true }),
    ];
    for (const text of shown) expect(text).not.toContain(canary);
    expect(shown[0]).toBe('[secret]');
  });

  it('has no readable or writable property that holds the value', () => {
    const secret = Secret.text(canary);
    expect(Object.entries(secret)).toEqual([['type', 'string']]);
    expect(() => Object.assign(secret, { type: 'number' })).toThrow(TypeError);
    expect(() => structuredClone(secret)).not.toThrow();
    expect(JSON.stringify(structuredClone(secret))).not.toContain(canary);
  });

  it('bytes that are UTF-8 are text, other bytes stay bytes and have no text', () => {
    expect(Secret.bytes(Buffer.from('é')).exposeText('file')).toBe('é');
    const binary = Secret.bytes(Buffer.from([0xff, 0x00, 0xfe]));
    expect(binary.type).toBe('bytes');
    expect(() => binary.exposeText('file')).toThrow(TypeError);
    expect([...binary.exposeBytes('file')]).toEqual([0xff, 0x00, 0xfe]);
  });

  it('a byte order mark is part of the value', () => {
    const bytes = [0xef, 0xbb, 0xbf, 0x61];
    expect([...Secret.bytes(Buffer.from(bytes)).exposeBytes('file')]).toEqual(bytes);
  });

  it('gives copies of its bytes, so the value cannot be changed', () => {
    const secret = Secret.bytes(Buffer.from([0xff]));
    secret.exposeBytes('file').fill(0);
    expect([...secret.exposeBytes('file')]).toEqual([0xff]);
  });

  it.each([
    [Secret.text('1'), Secret.text('1'), true],
    [Secret.text('1'), Secret.number('1'), false],
    [Secret.number('1.0'), Secret.number('1.00'), false],
    [Secret.boolean(true), Secret.boolean(true), true],
    [Secret.null(), Secret.text('null'), false],
    [Secret.text('a'), Secret.text('ab'), false],
  ])('%#: equality looks at type and bytes', (a, b, equal) => {
    expect(a.equals(b)).toBe(equal);
  });

  it('values are equal in shape and leaves, whatever the order of names', () => {
    const one: Value = new Map<string, Value>([
      ['a', Secret.text('1')],
      ['b', [Secret.text('2')]],
    ]);
    const two: Value = new Map<string, Value>([
      ['b', [Secret.text('2')]],
      ['a', Secret.text('1')],
    ]);
    const three: Value = new Map<string, Value>([
      ['b', [Secret.text('3')]],
      ['a', Secret.text('1')],
    ]);
    expect([equalValues(one, two), equalValues(one, three), equalValues(one, [])]).toEqual([true, false, false]);
  });
});
