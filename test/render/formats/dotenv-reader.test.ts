import { beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Value } from '../../../src/base/value.ts';
import type { DotenvReader } from '../../../src/config/sections/outputs/config.ts';
import { fieldsOf, format, render } from '../render.helpers.ts';
import { namedReaders, type Reader } from './dotenv.helpers.ts';
import { TEXTS } from './values.helpers.ts';

/** The reader of the tests for each reader of `for`. */
const READERS = { sh: 'sh', node: 'node', python: 'python-dotenv', systemd: 'systemd' } as const;

/** More that some reader misreads in some quotes. */
const HARD = [
  ...[
    'it\'s "x"',
    "it's $x",
    "it's `x`",
    "it's \\n",
    "\\'",
    '\\\\',
    'end\\',
    'end\\\\',
    "it's\\",
    '\'"`',
    '\'"` \\n x',
  ],
  ...[
    'a\rb',
    'a\r\n',
    '\r',
    "'\r",
    '${HOME}',
    '$${HOME}',
    '${',
    '${a',
    '${HOME:-x}',
    '\\${HOME}',
    '$HOME',
    '$$',
    '$',
    '\\$',
  ],
  ...[
    'a\'b"c`d',
    'x\'"`#',
    'x\'"` ',
    'a\nb\'"`',
    '\\0',
    '\\c',
    "'\\0",
    '\\x41',
    '\\"',
    '"\\',
    "'\\\n'",
    '\u0001',
    '\u007f',
    '\ufdd0',
  ],
];

/** What each reader cannot be given. */
const REFUSED: Readonly<Record<DotenvReader, (text: string) => boolean>> = {
  sh: (text) => text.includes('\0'),
  docker: (text) => text.includes('\0'),
  python: (text) => text.includes('\0'),
  node: (text) =>
    /[\0\r]/.test(text) ||
    (/'/.test(text) && /`/.test(text) && /"|\\n/.test(text) && !/^[^\s'"`#]([^\n#]*[^\s#])?$/.test(text)),
  kubelet: (text) => text === '' || /[\0']|\r\n/.test(text),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
  systemd: (text) => /[\0-\x08\x0b-\x1f\x7f\p{Noncharacter_Code_Point}]/u.test(text),
};

describe('what format dotenv writes for one reader', () => {
  let readers: readonly Reader[] = [];
  let missing: readonly string[] = [];
  beforeAll(async () => {
    ({ readers, missing } = await namedReaders());
  }, 240_000);

  const write = async (value: Value, reader: DotenvReader) => {
    const fields = { A: Secret.text('1'), V: value, B: Secret.text('2') };
    return render({ f: { ...format('dotenv', 's'), options: { for: reader } } }, { s: fieldsOf(fields) });
  };

  async function check(reader: DotenvReader, name: string): Promise<void> {
    const program = readers.find((one) => one.name === name) as Reader;
    const texts = [...new Set([...TEXTS, ...HARD, ...random(3000)])];
    const files: string[] = [];
    const taken: string[] = [];
    const refused: string[] = [];
    for (const text of texts) {
      const rendered = await write(Secret.text(text), reader);
      if (rendered.kind !== 'files') {
        expect(rendered).toMatchObject({ kind: 'failed', why: { code: 'RENDER_NOT_TEXT' } });
        refused.push(text);
        continue;
      }
      taken.push(text);
      files.push(Buffer.from(rendered.files.get('f') as Uint8Array).toString());
    }
    expect(refused).toEqual(texts.filter(REFUSED[reader]));
    const list = await write(
      taken.map((text) => Secret.text(text)),
      reader,
    );
    if (list.kind !== 'files') throw new Error(`${JSON.stringify(list)}`);
    files.push(Buffer.from(list.files.get('f') as Uint8Array).toString());
    const read = await program.read(files);
    const values = read.map(({ A, V, B, error }) => (error === undefined ? [A, V, B] : error));
    expect(JSON.parse(`${values.pop()?.[1]}`)).toEqual(taken);
    const wrong = values.map((found, i) => ({ found, text: taken[i], file: files[i] }));
    expect(wrong.filter(({ found, text }) => JSON.stringify(found) !== JSON.stringify(['1', text, '2']))).toEqual([]);
  }

  it.each(Object.entries(READERS) as [DotenvReader, string][])(
    'is read back by it, and only what it cannot read is refused: %s',
    async (reader, name) => {
      if (readers.every((one) => one.name !== name)) throw new Error(missing.join('\n'));
      await check(reader, name);
    },
    60_000,
  );

  it('is read back by Docker Compose, and only NUL is refused', async ({ skip }) => {
    if (readers.every(({ name }) => name !== 'compose')) skip(missing.join('\n'));
    await check('docker', 'compose');
  }, 60_000);

  it('is read back by the kubelet, which takes no quote, no empty text and no carriage return before a line feed', async ({
    skip,
  }) => {
    if (readers.every(({ name }) => name !== 'kubelet')) skip(missing.join('\n'));
    await check('kubelet', 'kubelet');
  }, 60_000);

  it('is read back by the kubelet up to 64 KiB a line, and a longer line is refused, since it spoils the file', async ({
    skip,
  }) => {
    const program = readers.find(({ name }) => name === 'kubelet') ?? skip(missing.join('\n'));
    const longest = 'x'.repeat(64 * 1024 - 1 - "V=''".length);
    for (const text of [longest, `${longest}\n${longest}`]) {
      const rendered = await write(Secret.text(text), 'kubelet');
      if (rendered.kind !== 'files') throw new Error('refused');
      const file = Buffer.from(rendered.files.get('f') as Uint8Array).toString();
      expect((await program.read([file])).map(({ A, V, B }) => [A, V === text, B])).toEqual([['1', true, '2']]);
    }
    expect(await write(Secret.text(`${longest}x`), 'kubelet')).toMatchObject({ why: { code: 'RENDER_NOT_TEXT' } });
    const [broken] = await program.read([`A='1'\nV='${longest}x'\nB='2'\n`]);
    expect(broken?.['error']).toContain('token too long');
  }, 60_000);

  it('is refused with the name of the reader and of the field, never with the value', async () => {
    expect(await write(Secret.text('hunter2\r'), 'node')).toMatchObject({
      why: { seen: 's.V cannot be quoted so that Node reads the same text' },
    });
    const all = await render({ f: format('dotenv', 's') }, { s: fieldsOf({ V: Secret.text('hunter2\r') }) });
    expect(all).toMatchObject({
      why: { hint: expect.stringContaining('for: sh, docker, node, python, systemd, kubelet') },
    });
    expect(JSON.stringify(all)).not.toContain('hunter2');
  });
});

function random(count: number): readonly string[] {
  const alphabet = ['a', ' ', "'", '"', '`', '$', '\\', '\n', '\r', '#', '=', '{', '}', 'n', ':', '-', '0', 'é'];
  let state = 1;
  const next = (n: number) => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: next(8) }, () => alphabet[next(alphabet.length)]).join(''),
  );
}
