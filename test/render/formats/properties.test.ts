import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Value } from '../../../src/base/value.ts';
import { bytesOf, failureOf, fieldsOf, format, textOf } from '../render.helpers.ts';
import { type PropertiesReader, propertiesReaders } from './properties.helpers.ts';
import { NUMBERS, TEXTS } from './values.helpers.ts';

const secrets = {
  app: '{"name":"shop","n":9007199254740993,"price":1.10,"on":true,"nil":null,"list":["a",{"b":"it\'s"}],"map":{},"a key":"= v"}',
  db: '{"user":"u","url":"jdbc:x://h/?a=b#c"}',
  other: '{"user":"v"}',
  opt: 'optional and absent' as const,
};

describe('format properties', () => {
  it('writes one line per field, sources and fields in order, lists and maps as JSON', async () => {
    expect(await textOf(format('properties', 'db', 'app'), secrets)).toBe(
      'user=u\nurl=jdbc:x://h/?a=b#c\nname=shop\nn=9007199254740993\nprice=1.10\non=true\nnil=\n' +
        'list=["a",{"b":"it\'s"}]\nmap={}\na\\ key=\\= v\n',
    );
  });

  it('is ASCII, whatever the encoding the reader expects', async () => {
    const given = { s: fieldsOf({ é: Secret.text(' ü\t😀\n'), '!#': Secret.bytes(Uint8Array.of(0xff)) }) };
    expect(await textOf(format('properties', 's'), given)).toBe(
      '\\u00E9=\\ \\u00FC\\t\\uD83D\\uDE00\\n\n\\!\\#=/w==\n',
    );
  });

  it('leaves out an optional secret that is absent', async () => {
    expect(await textOf(format('properties', 'opt', 'db.user'), secrets)).toBe('user=u\n');
  });

  it('refuses one key from two sources, and half a surrogate pair', async () => {
    expect((await failureOf(format('properties', 'db', 'other'), secrets)).code).toBe('RENDER_SAME_KEY');
    const half = { s: fieldsOf({ v: Secret.text('\ud800') }) };
    expect((await failureOf(format('properties', 's'), half)).code).toBe('RENDER_NOT_TEXT');
  });
});

describe('what format properties writes', () => {
  let readers: readonly PropertiesReader[] = [];
  let missing: readonly string[] = [];
  beforeAll(async () => {
    ({ here: readers, missing } = await propertiesReaders());
  });

  async function expectReadBack(all: ReadonlyMap<string, string>): Promise<void> {
    for (const reader of readers) {
      const texts = new Map([...all].filter((entry) => !isMisread(entry, reader)));
      const fields = new Map<string, Value>([...texts].map(([key, text]) => [key, Secret.text(text)]));
      const read = await reader.read(await bytesOf(format('properties', 's'), { s: fields }));
      expect([reader.name, sorted(read)]).toEqual([reader.name, sorted(texts)]);
    }
  }

  it('is read back by Java, javaproperties and jproperties, as keys and as values', async () => {
    await expectReadBack(new Map([...TEXTS, ...NUMBERS].flatMap((text, i) => [[`v${i}`, text] as const])));
    await expectReadBack(new Map(TEXTS.map((text, i) => [text, String(i)])));
  });

  it('is read back whatever it is made of', async () => {
    const alphabet = ['a', ' ', '=', ':', '#', '!', '\\', '\n', '\r', '\t', '\f', 'u', 'n', 'é', '"', "'", '\0'];
    let state = 1;
    const next = (n: number) => {
      state = (state * 48271) % 2147483647;
      return state % n;
    };
    const text = () => Array.from({ length: next(7) }, () => alphabet[next(alphabet.length)]).join('');
    await expectReadBack(new Map(Array.from({ length: 2000 }, () => [text(), text()])));
  });

  it('was checked with all readers', ({ skip }) => {
    if (missing.length > 0) skip(missing.join('\n'));
    expect(readers.map(({ name }) => name)).toEqual(['java', 'javaproperties', 'jproperties']);
  });
});

/** jproperties drops an escaped U+FEFF at the beginning of a text, which the format keeps. */
const isMisread = (entry: readonly string[], { name }: PropertiesReader) =>
  name === 'jproperties' && entry.some((text) => text.startsWith('\ufeff'));

const sorted = (texts: ReadonlyMap<string, string>) => [...texts].sort(([a], [b]) => (a < b ? -1 : 1));
