import { describe, expect, it } from 'vitest';
import { parseByHandlebars } from '../../src/render/template/parse.ts';
import { parseSimple } from '../../src/render/template/parse-simple.ts';

/** What of a tree is read, without what only Handlebars needs. */
function plain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== 'object' || node === null) return node;
  const ignored = ['strip', 'escaped', 'hash', 'source'];
  const isContent = (node as { type?: unknown }).type === 'ContentStatement';
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => !ignored.includes(key) && !(isContent && key !== 'type' && key !== 'value'))
      .map(([key, value]) => [key, plain(value)]),
  );
}

async function byHandlebars(source: string): Promise<unknown> {
  return plain((await parseByHandlebars(source)).body);
}

const NAMES = [
  'db',
  'db.password',
  'a-b.c_d',
  '_x',
  'elsewhere.a',
  'true',
  'this.x',
  'x.null',
  'as',
  'truex',
  'a.this',
];
const PIECES = [
  ...NAMES.map((name) => `{{${name}}}`),
  '{{  db.user }}',
  '{{{raw}}}',
  '{{db}}}',
  '{{~db}}',
  '{{#if a}}x{{/if}}',
  '{{! note }}',
  '{{a.[0]}}',
  '{{"x"}}',
  '{{else}}',
  '{{a\nb}}',
  '{{upper a}}',
  'text',
  '\n',
  '\n\n  ',
  '\r\n',
  '\\',
  '\\\\',
  '{',
  '}}',
  '\u00e9\u{1f600}',
];

describe('a template of text and fields alone', () => {
  it.each(['{{db}}', '{{db.password}}', 'a{{db.password}}b\n{{ db.user }}\n', 'no field', '', '{ {{a}} }', '\0'])(
    'is parsed without Handlebars: %j',
    (source) => expect(parseSimple(source)).toBeDefined(),
  );

  it('has the tree that Handlebars makes, with the same positions, or is left to Handlebars', async () => {
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    let simple = 0;
    for (let round = 0; round < 20_000; round++) {
      const source = Array.from({ length: 1 + next(5) }, () => PIECES[next(PIECES.length)]).join('');
      if (!source.includes('{{')) continue;
      const program = parseSimple(source);
      if (program === undefined) continue;
      simple++;
      expect(plain(program.body), JSON.stringify(source)).toEqual(await byHandlebars(source));
    }
    expect(simple).toBeGreaterThan(1_000);
  });
});
