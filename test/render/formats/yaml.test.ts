import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Value } from '../../../src/base/value.ts';
import { bytesOf, failureOf, fieldsOf, format, textOf } from '../render.helpers.ts';
import { type TreeReader, yamlReaders } from './tree.helpers.ts';
import { everything, typed } from './values.helpers.ts';

const secrets = {
  app: '{"name":"shop","n":9007199254740993,"price":1.10,"big":1e5,"on":true,"nil":null,"yes":"no","conn":{"host":"h","ports":[1,[2],{"a":1,"b":{"c":[]}}]},"e":{}}',
  db: '{"user":"u","conn":"c"}',
  opt: 'optional and absent' as const,
};

describe('format yaml', () => {
  it('writes one secret as the map of its fields, texts in quotes, numbers as they came', async () => {
    expect(await textOf(format('yaml', 'app'), secrets)).toBe(`name: "shop"
"n": 9007199254740993
price: 1.10
big: !!float 1e5
"on": true
nil: null
"yes": "no"
conn:
  host: "h"
  ports:
    - 1
    - - 2
    - a: 1
      b:
        c: []
e: {}
`);
  });

  const written: readonly (readonly [from: readonly string[], yaml: string])[] = [
    [['app.name'], '"shop"\n'],
    [['app.n'], '9007199254740993\n'],
    [['app.e'], '{}\n'],
    [['app.conn.ports.1'], '- 2\n'],
    [['db', 'app.price'], 'db:\n  user: "u"\n  conn: "c"\napp:\n  price: 1.10\n'],
    [['opt'], '{}\n'],
    [['opt', 'db.user'], 'db:\n  user: "u"\n'],
  ];
  it.each(written)('from %j', async (from, yaml) => {
    expect(await textOf(format('yaml', ...from), secrets)).toBe(yaml);
  });

  it('keeps a text on one line whatever it holds', async () => {
    const given = { s: fieldsOf({ v: Secret.text('a\n "b"\\\t\u2028\0é😀') }) };
    expect(await textOf(format('yaml', 's'), given)).toBe('v: "a\\n \\"b\\"\\\\\\t\\u2028\\u0000é😀"\n');
  });

  it('fails when a field is missing', async () => {
    expect((await failureOf(format('yaml', 'app.nope'), secrets)).code).toBe('RENDER_MISSING_FIELD');
  });
});

describe('what format yaml writes', () => {
  let readers: readonly TreeReader[] = [];
  let missing: readonly string[] = [];
  beforeAll(async () => {
    ({ here: readers, missing } = await yamlReaders());
  });

  async function expectReadBack(fields: ReadonlyMap<string, Value>): Promise<void> {
    const file = await bytesOf(format('yaml', 's'), { s: fields });
    for (const reader of readers) expect([reader.name, await reader.read(file)]).toEqual([reader.name, typed(fields)]);
  }

  it('is read back by yaml, PyYAML and ruamel.yaml, with the type of every value', async () => {
    await expectReadBack(everything());
  });

  it('is read back whatever its texts are made of', async () => {
    const alphabet = ['a', '1', ' ', "'", '"', ':', '#', '-', '\\', '\n', '\t', '{', ',', '?', '!', '%', 'é', '\u0085'];
    let state = 1;
    const next = (n: number) => {
      state = (state * 48271) % 2147483647;
      return state % n;
    };
    const text = () => Array.from({ length: next(7) }, () => alphabet[next(alphabet.length)]).join('');
    await expectReadBack(new Map(Array.from({ length: 1500 }, () => [text(), [Secret.text(text())]])));
  });

  it('was checked with all readers', ({ skip }) => {
    if (missing.length > 0) skip(missing.join('\n'));
    expect(readers.map(({ name }) => name)).toEqual(['yaml 1.1', 'yaml 1.2', 'PyYAML', 'ruamel.yaml']);
  });
});
