import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Value } from '../../../src/base/value.ts';
import { failureOf, fieldsOf, format, render, textOf } from '../render.helpers.ts';
import { dotenvReaders, type Reader } from './dotenv.helpers.ts';

const app = '{"NAME":"shop","port":8080,"price":1.10,"on":true,"nil":null,"LIST":["a",{"b":"it\'s"}],"MAP":{}}';
const secrets = { app, db: '{"user":"u","pass-word":"p"}', other: '{"user":"v"}', opt: 'optional and absent' as const };

describe('format dotenv', () => {
  it('writes one line per field, sources and fields in order', async () => {
    expect(await textOf(format('dotenv', 'db.user', 'app'), secrets)).toBe(
      "user='u'\nNAME='shop'\nport='8080'\nprice='1.10'\non='true'\nnil=''\n" +
        'LIST=\'["a",{"b":"it\\u0027s"}]\'\nMAP=\'{}\'\n',
    );
  });

  it('takes the fields of a map below a secret, and a list or a leaf under its own name', async () => {
    const given = { s: '{"conn":{"HOST":"h","PORT":1},"tags":["x"]}' };
    expect(await textOf(format('dotenv', 's.conn', 's.tags'), given)).toBe("HOST='h'\nPORT='1'\ntags='[\"x\"]'\n");
  });

  it('leaves out an optional secret that is absent', async () => {
    expect(await textOf(format('dotenv', 'opt', 'opt.x', 'db.user'), secrets)).toBe("user='u'\n");
    expect(await textOf(format('dotenv', 'opt'), secrets)).toBe('');
  });

  it('refuses a name that is not valid in a shell, and names the field and a rename', async () => {
    const { code, seen, hint } = await failureOf(format('dotenv', 'db'), secrets);
    expect([code, seen]).toEqual(['RENDER_KEY', 'the field pass-word of db is not a valid variable name']);
    expect(hint).toContain('rename');
    for (const key of ['', '1a', 'a b', 'a=b', 'a.b', 'é', 'a\nB=1']) {
      expect((await failureOf(format('dotenv', 's'), { s: fieldsOf({ [key]: Secret.text('x') }) })).code).toBe(
        'RENDER_KEY',
      );
    }
  });

  it('tells every name and every value that it refuses in one message, up to ten', async () => {
    const names = await failureOf(format('dotenv', 'db', 's'), {
      ...secrets,
      s: fieldsOf({ 'a.b': Secret.text('1'), OK: Secret.text('2'), '1st': Secret.text('3') }),
    });
    expect(names).toMatchObject({
      code: 'RENDER_KEY',
      seen: 'the fields pass-word of db, a.b of s, 1st of s are not valid variable names',
    });
    expect(names.hint).toContain('rename: { "pass-word": pass_word, "a.b": a_b, "1st": _1st }');
    const values = { A: Secret.text('x\r'), B: Secret.text('y'), C: Secret.text('z\0') };
    expect((await failureOf(format('dotenv', 's'), { s: fieldsOf(values) })).seen).toBe(
      's.A, s.C cannot be quoted so that every reader of dotenv files reads the same text',
    );
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`k-${i}`, Secret.text('x')]));
    expect((await failureOf(format('dotenv', 's'), { s: fieldsOf(many) })).seen).toMatch(
      /k-9 of s, and 2 more are not /,
    );
  });

  it('tells repeated keys, names and values that it refuses together', async () => {
    const values = { 'a.b': Secret.text('1'), A: Secret.text('x\r'), half: Secret.text('\ud800') };
    const why = await failureOf(format('dotenv', 's', 't'), { s: fieldsOf(values), t: '{"A":"2"}' });
    expect(why).toMatchObject({
      code: 'RENDER_SAME_KEY',
      seen:
        's.A and t.A both give A; the field a.b of s is not a valid variable name; ' +
        's.half holds half a surrogate pair, which UTF-8 cannot carry; ' +
        's.A cannot be quoted so that every reader of dotenv files reads the same text',
    });
    expect(why.hint).toContain('keys: identifier');
  });

  it('refuses one key from two sources', async () => {
    expect(await failureOf(format('dotenv', 'db.user', 'other'), secrets)).toMatchObject({
      code: 'RENDER_SAME_KEY',
      place: 'outputs.shop.files["f"]',
      seen: 'db.user and other.user both give user',
    });
  });

  it('writes bytes that are not UTF-8 as base64', async () => {
    const bytes = fieldsOf({ KEY: Secret.bytes(Uint8Array.of(0xff)) });
    expect(await textOf(format('dotenv', 's'), { s: bytes })).toBe("KEY='/w=='\n");
  });

  it('fails for a missing field, and for half a surrogate pair', async () => {
    expect((await failureOf(format('dotenv', 'app.nope'), secrets)).code).toBe('RENDER_MISSING_FIELD');
    const half = fieldsOf({ KEY: Secret.text('\ud800') });
    expect(await failureOf(format('dotenv', 's'), { s: half })).toMatchObject({
      code: 'RENDER_NOT_TEXT',
      seen: 's.KEY holds half a surrogate pair, which UTF-8 cannot carry',
    });
  });
});

const CARRIED = [
  '',
  ' ',
  'plain',
  'a b',
  ' lead',
  'trail ',
  '\ttab',
  'a#b',
  'a #b',
  '#',
  'a=b',
  'KEY=v\nB=2',
  'a\nb',
  'a\n',
  '\na',
  '\n',
  'a\\b',
  'a\\nb',
  '\\t',
  '\\ ',
  "it's",
  "'",
  "''",
  "it's\nnew",
  "it's a\\d",
  "it's #x",
  'say "x"',
  'a\n"b"\nc',
  '"',
  '`id`',
  '$HOME',
  '$(id)',
  '$',
  '$$',
  '{}',
  '{"a":1}',
  'é😀',
  '\u2028',
  '\ufeffx',
  '\u00a0x',
  '~',
  '*',
  '%d',
  '!h',
  '-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n',
  'export A=1',
  'a;b&c|d>e',
  'a}b{c',
];
const REFUSED = [
  '\u0001',
  '\u007f',
  '\ufdd0',
  '\ufffe',
  "it's \\c",
  "it's \\0",
  'a\0b',
  'a\rb',
  'a\r\n',
  '${HOME}',
  'a\\\\b',
  'end\\',
  'it\'s "x"',
  "it's $x",
  "it's `x`",
  "it's \\n",
  "\\'",
];

describe('what format dotenv writes', () => {
  let readers: readonly Reader[] = [];
  let missing: readonly string[] = [];
  beforeAll(async () => {
    ({ readers, missing } = await dotenvReaders());
  });

  /** One file per value, between two others that a wrong quoting would swallow. */
  const write = (value: Value) =>
    render({ f: format('dotenv', 's') }, { s: fieldsOf({ A: Secret.text('1'), V: value, B: Secret.text('2') }) });

  async function expectReadBack(values: readonly string[]): Promise<void> {
    const files: string[] = [];
    for (const value of values) {
      const rendered = await write(Secret.text(value));
      if (rendered.kind !== 'files') throw new Error(`refused: ${JSON.stringify(value)}`);
      files.push(Buffer.from(rendered.files.get('f') as Uint8Array).toString());
    }
    for (const reader of readers) {
      const read = (await reader.read(files)).map(({ A, V, B }) => ({ A, V, B }));
      expect({ reader: reader.name, read }).toEqual({
        reader: reader.name,
        read: values.map((V) => ({ A: '1', V, B: '2' })),
      });
    }
  }

  it('is read back by sh, Node, dotenv, python-dotenv, Docker Compose and systemd', async () => {
    await expectReadBack(CARRIED);
  });

  it('is refused when no quoting gives all readers the same text, and the message shows no value', async () => {
    for (const value of REFUSED) {
      const rendered = await write(Secret.text(value));
      expect(rendered).toMatchObject({
        kind: 'failed',
        why: {
          code: 'RENDER_NOT_TEXT',
          seen: 's.V cannot be quoted so that every reader of dotenv files reads the same text',
        },
      });
    }
  });

  it('is read back whatever it is made of', async () => {
    const alphabet = ['a', ' ', "'", '"', '`', '$', '\\', '\n', '#', '=', '{', '}', 'n', '!', 'é', '(', ')'];
    let state = 1;
    const next = (n: number) => {
      state = (state * 48271) % 2147483647;
      return state % n;
    };
    const values = Array.from({ length: 3000 }, () =>
      Array.from({ length: next(7) }, () => alphabet[next(alphabet.length)]).join(''),
    );
    const written: string[] = [];
    for (const value of values) if ((await write(Secret.text(value))).kind === 'files') written.push(value);
    expect(written.length).toBeGreaterThan(1500);
    await expectReadBack(written);
  });

  it('holds any list or map, whatever its texts hold', async () => {
    const list = [...CARRIED, ...REFUSED].map((text) => Secret.text(text));
    const rendered = await write(list);
    if (rendered.kind !== 'files') throw new Error('refused');
    const file = Buffer.from(rendered.files.get('f') as Uint8Array).toString();
    for (const reader of readers) {
      const [variables] = await reader.read([file]);
      expect([reader.name, JSON.parse(variables?.['V'] as string)]).toEqual([reader.name, [...CARRIED, ...REFUSED]]);
    }
  });

  it('was checked with all these readers', ({ skip }) => {
    const others = missing.filter((why) => !why.startsWith('compose'));
    if (others.length > 0) skip(others.join('\n'));
    const names = readers.map(({ name }) => name).filter((name) => name !== 'compose');
    expect(names).toEqual(['sh', 'node', 'systemd', 'dotenv', 'python-dotenv']);
  });

  it('was checked with the reader of Docker Compose', ({ skip }) => {
    const why = missing.filter((one) => one.startsWith('compose'));
    if (why.length > 0) skip(why.join('\n'));
    expect(readers.map(({ name }) => name)).toContain('compose');
  });
});
