import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { bytesOf, failureOf, fieldsOf, format, textOf } from '../render.helpers.ts';
import { jsonReaders } from './tree.helpers.ts';
import { everything, NUMBERS, TEXTS, typed } from './values.helpers.ts';

const secrets = {
  app: '{"name":"shop","n":9007199254740993,"price":1.10,"conn":{"host":"h","port":1},"list":[],"nil":null}',
  db: '{"__proto__":"P","constructor":{"a":1},"conn":"c"}',
  bytes: fieldsOf({ raw: Secret.bytes(Uint8Array.of(0xff)), odd: Secret.number('.inf') }),
  dots: '{"a.b":"whole","a":{"b":"part","c":["first"]},"x.y":{"z":2}}',
  opt: 'optional and absent' as const,
};

const compact = async (...from: readonly string[]) => {
  const text = await textOf(format('json', ...from), secrets);
  expect(text.endsWith('\n')).toBe(true);
  JSON.parse(text);
  return text.replace(/\n */g, '').replaceAll(': ', ':');
};

describe('format json', () => {
  it('writes one secret as the object of its fields, two spaces deep, with a final newline', async () => {
    expect(await textOf(format('json', 'app'), secrets)).toBe(
      '{\n  "name": "shop",\n  "n": 9007199254740993,\n  "price": 1.10,\n  "conn": {\n    "host": "h",\n    "port": 1\n  },\n  "list": [],\n  "nil": null\n}\n',
    );
  });

  const written: readonly (readonly [from: readonly string[], json: string])[] = [
    [['app.conn'], '{"host":"h","port":1}'],
    [['app.name'], '"shop"'],
    [['app.n'], '9007199254740993'],
    [['app.nil'], 'null'],
    [['db'], '{"__proto__":"P","constructor":{"a":1},"conn":"c"}'],
    [
      ['db', 'app.conn'],
      '{"db":{"__proto__":"P","constructor":{"a":1},"conn":"c"},"app":{"conn":{"host":"h","port":1}}}',
    ],
    [['app.name', 'db.conn', 'app.conn.port'], '{"app":{"name":"shop","conn":{"port":1}},"db":{"conn":"c"}}'],
    [['app.conn', 'app.conn.port'], '{"app":{"conn":{"host":"h","port":1}}}'],
    [['app.conn.port', 'app.conn'], '{"app":{"conn":{"port":1,"host":"h"}}}'],
    [['db.conn', 'db'], '{"db":{"conn":"c","__proto__":"P","constructor":{"a":1}}}'],
    [['bytes'], '{"raw":"/w==","odd":".inf"}'],
    [['opt'], '{}'],
    [['opt', 'app.name'], '{"app":{"name":"shop"}}'],
    [['opt.x', 'opt'], '{}'],
    [['dots.a.b'], '"whole"'],
    [['dots.a.c.0'], '"first"'],
    [['dots.x.y.z', 'app.price'], '{"dots":{"x.y":{"z":2}},"app":{"price":1.10}}'],
  ];
  it.each(written)('from %j', async (from, json) => {
    expect(await compact(...from)).toBe(json);
  });

  it('does not change the snapshot while it joins sources', async () => {
    await compact('app.conn', 'app.conn.port', 'app.name');
    const fields = fieldsOf({ in: fieldsOf({ a: Secret.text('1') }), other: Secret.text('2') });
    const given = { s: fields };
    const first = await textOf(format('json', 's.in', 's.other'), given);
    expect(await textOf(format('json', 's.in', 's.other'), given)).toBe(first);
    expect([...fields.keys()]).toEqual(['in', 'other']);
  });

  it('fails when a field is missing, and for one field of an absent secret', async () => {
    expect(await failureOf(format('json', 'app.nope'), secrets)).toMatchObject({
      code: 'RENDER_MISSING_FIELD',
      place: 'outputs.shop.files["f"]',
      seen: 'app.nope is missing: app has no such field',
    });
    expect((await failureOf(format('json', 'app.name.x', 'db'), secrets)).seen).toBe(
      'app.name.x is missing: app.name is not a map with fields',
    );
    expect((await failureOf(format('json', 'opt.x'), secrets)).code).toBe('RENDER_MISSING_FIELD');
  });
});

describe('what format json writes', () => {
  it('is read back by JSON.parse, numbers as far as it has them', async () => {
    const read = JSON.parse(await textOf(format('json', 's'), { s: everything() }));
    expect(read.texts).toEqual(TEXTS);
    expect(Object.keys(read.names).sort()).toEqual([...TEXTS].sort());
    expect(read.numbers).toEqual(NUMBERS.map(Number));
    expect([read.others, read.binary, read.empty]).toEqual([
      [true, false, null],
      '/wAK/g==',
      [[], {}, { l: [] }, [[]]],
    ]);
  });

  it('is read back by Python, whole numbers of any size too', async ({ skip }) => {
    const { here, missing } = await jsonReaders();
    if (missing.length > 0) skip(missing.join('\n'));
    const file = await bytesOf(format('json', 's'), { s: everything() });
    for (const reader of here) expect(await reader.read(file)).toEqual(typed(everything()));
  });
});
