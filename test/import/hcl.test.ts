import parser from 'js-hcl-parser';
import { describe, expect, it } from 'vitest';
import { parseHcl } from '../../src/import/hcl/parser.ts';
import { positionIn } from '../../src/import/hcl/position-in.ts';
import { type HclItem, type HclObject, HclSyntaxError, type HclValue } from '../../src/import/hcl/tree.ts';
import { decodeSource, SourceText } from '../../src/import/source-text.ts';

const parse = (text: string): HclObject => parseHcl(new SourceText(text));

/** The tree in the form that HashiCorp's parser gives: a block is a list of maps, and its labels are maps in it. */
function plain({ items }: HclObject): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const { key, labels, value } of items) {
    if (value.kind !== 'object') made[key] = plainValue(value);
    else {
      const inner = labels.reduceRight<unknown>((one, label) => ({ [label]: [one] }), plain(value));
      made[key] = [...((made[key] as unknown[] | undefined) ?? []), inner];
    }
  }
  return made;
}

function plainValue(value: HclValue): unknown {
  switch (value.kind) {
    case 'number':
      return /^0[0-7]+$/.test(value.text) ? Number.parseInt(value.text, 8) : Number(value.text);
    case 'list':
      return value.items.map(plainValue);
    case 'object':
      return plain(value);
    case 'null':
      return null;
    default:
      return value.value;
  }
}

const first = (text: string): HclItem => parse(text).items[0] as HclItem;

const givenBy = (text: string): unknown => plainValue(first(`x = ${text}`).value);

const SAME: readonly (readonly [what: string, hcl: string])[] = [
  ['octal numbers', 'perms = 0644'],
  ['other numbers', 'a = 1\nb = -2\nc = 1.5\nd = 0x1f\ne = 1e3'],
  ['blocks with labels', 'l "tcp" {\n a = 1\n}\nl "unix" {\n c = 3\n}'],
  ['nested labels', 'a "b" "c" {\n d = "e"\n}'],
  ['keys in quotes', '"a" = 1\n"b" "c" {\n}'],
  ['comments', '# one\n// two\n/* three\n four */ a = 1 # five\n'],
  ['a heredoc', 'a = <<EOF\none\n  two\nEOF\nb = 1\n'],
  ['an indented heredoc', 'a = <<-EOT\n    one\n      two\n    EOT\n'],
  ['an indented heredoc with an empty line', 'a = <<-EOT\n  one\n\n  two\n  EOT\n'],
  ['escapes', 'a = "\\n\\t\\"\\\\\\u00e9\\x41\\101"'],
  ['what stands between ${ and }', 'a = "x ${ f("y") } z"'],
  ['templates of Go in quotes', 'contents = "{{ with secret \\"secret/data/a\\" }}{{ .Data.data.b }}{{ end }}"'],
  ['lists', 'a = ["b", 1, true,]\nc = []'],
  ['objects', 'a = { b = "c", d = { e = 1 } }'],
  ['an empty file', ''],
  ['Windows line ends', 'a = 1\r\nb {\r\n  c = "d"\r\n}\r\n'],
  ['commas between items', 'a = { b = 1, c = 2 }'],
];

describe('the HCL parser', () => {
  it.each(SAME)('reads %s as HashiCorp’s own parser does', (_what, hcl) => {
    expect(plain(parse(hcl))).toEqual(JSON.parse(parser.parse(hcl)));
  });

  it('keeps how a number is written, since 0644 and 644 are different modes', () => {
    expect([first('perms = 0644').value, first('perms = 644').value]).toMatchObject([
      { text: '0644' },
      { text: '644' },
    ]);
  });

  it('reads blocks with a label beside one without, which the other parser refuses', () => {
    const hcl = 'l "tcp" {\n a = 1\n}\nl {\n b = 2\n}\nl "unix" {\n c = 3\n}';
    expect(plain(parse(hcl))).toEqual({ l: [{ tcp: [{ a: 1 }] }, { b: 2 }, { unix: [{ c: 3 }] }] });
    expect(() => JSON.parse(parser.parse(hcl))).toThrow();
  });

  it('reads the JSON of HCL into the same tree', () => {
    expect(plain(parse('{"a": {"b": [1, "c", null, false]}, "d": 2}'))).toEqual({
      a: [{ b: [1, 'c', null, false] }],
      d: 2,
    });
  });

  it('tells the place of every part', () => {
    const [{ at, value }] = parse('\n\n  listener "tcp" {\n    a = "x"\n  }').items as [HclItem];
    expect(at).toEqual({ line: 3, column: 3 });
    expect((value as HclObject).items[0]).toMatchObject({
      at: { line: 4, column: 5 },
      value: { at: { line: 4, column: 9 } },
    });
  });

  it('knows where in the file a part of a text stands, in quotes and in heredocs', () => {
    const place = (hcl: string, part: string) => {
      const { value } = first(hcl);
      if (value.kind !== 'string') throw new Error('no text');
      return positionIn(value, value.value.indexOf(part));
    };
    expect(place('a = "one \\"two\\" three"', 'three')).toEqual({ line: 1, column: 18 });
    expect(place('a = "plain text"', 'text')).toEqual({ line: 1, column: 12 });
    expect(place('a = <<EOF\none\n two\nEOF\n', 'two')).toEqual({ line: 3, column: 2 });
    expect(place('a = <<-EOF\n    one\n    two\n    EOF\n', 'two')).toEqual({ line: 3, column: 5 });
  });

  it.each([
    ['a = ', 'a value is expected, not the end of the file', 1, 5],
    ['a', '= or { is expected after a name, not the end of the file', 1, 2],
    ['a b', '{ is expected after a name, not the end of the file', 1, 4],
    ['a = b', 'a value is expected: a text has quotes around it', 1, 5],
    ['a "b" = 1', 'before = there is one name: a block with labels has no =', 1, 7],
    ['a {\n  b = 1\n', '} is missing: the file ends inside of a block', 3, 1],
    ['a = 1\n}', 'the name of a key or of a block is expected, not }', 2, 1],
    ['a = [1 2]', ', or ] is expected in a list, not a number', 1, 8],
    ['a = "b', 'a text begins here that has no " on its line', 1, 5],
    ['a = "b\nc"', 'a text begins here that has no " on its line', 1, 5],
    ['a = "${b"', 'a text begins here whose ${ has no }', 1, 5],
    ['a = "\\q"', 'an escape that is none: \\n, \\", \\\\ and the like are', 1, 6],
    ['a = <<EOF\nb', 'a text begins here that has no line EOF at its end', 1, 5],
    ['a = << EOF', 'after << a word is expected, and a line end after it', 1, 5],
    ['a = 089', 'a number that begins with 0 is octal, and has 8 or 9', 1, 5],
    ['/* a', 'a comment begins here that has no */', 1, 1],
    ['a = 1 ;', '";" cannot stand here', 1, 7],
    ['a = \u0001', 'the character U+0001 cannot stand here', 1, 5],
    ['{"a": }', 'a value is expected', 1, 7],
    ['{"a" 1}', ': is expected after a name', 1, 6],
    ['{"a": 1 "b": 2}', ', or } is expected', 1, 9],
    ['{"a": [1,]}', 'a value is expected', 1, 10],
    ['{"a": 1}\nx', 'the end of the file is expected after }', 2, 1],
    ['{"a": "\\x"}', 'a text begins here that has no " at its end, or a wrong escape', 1, 7],
    ['{"a": 1', ', or } is expected: the file ends', 1, 8],
  ])('says of %j what was expected, and where', (hcl, message, line, column) => {
    expect(() => parse(hcl)).toThrow(expect.objectContaining({ message, at: { line, column } }));
  });

  it('names no text of the file in what it says, since it may be a secret', () => {
    for (const hcl of ['token = "s.canary" [', 'a = [1 "s.canary"]', 'a "s.canary" 5', 'a = "s.canary']) {
      let message = '';
      try {
        parse(hcl);
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).not.toBe('');
      expect(message).not.toContain('canary');
    }
  });

  it.each([
    ['{', '}'],
    ['[', ']'],
  ])('refuses %s nested without end, by its place', (open, close) => {
    const deep = open === '{' ? `${'a {'.repeat(100_000)}${close.repeat(100_000)}` : `a = ${open.repeat(100_000)}`;
    expect(() => parse(deep)).toThrow(HclSyntaxError);
    expect(() => parse(`{"a": ${'['.repeat(100_000)}`)).toThrow(HclSyntaxError);
  });

  it('reads five MiB, of blocks, of texts and of comments', () => {
    const block = 'template {\n contents = "{{ with secret \\"a\\" }}x{{ end }}"\n perms = 0644\n}\n';
    const hcl = [block.repeat(40_000), `a = <<EOF\n${'line\n'.repeat(400_000)}EOF\n`, '# c\n'.repeat(300_000)].join('');
    expect(hcl.length).toBeGreaterThan(5 * 2 ** 20);
    expect(parse(hcl).items).toHaveLength(40_001);
  });

  it('understands values of all kinds', () => {
    expect(['1', '"a"', 'true', '[]', '{ a = 1 }'].map(givenBy)).toEqual([1, 'a', true, [], { a: 1 }]);
  });
});

describe('the text of a file', () => {
  it('loses its byte order mark', () => {
    expect(decodeSource(Buffer.from('\ufeffa = 1'))).toEqual({ text: 'a = 1' });
  });

  it.each([
    ['UTF-16 with a mark', Buffer.from('\ufeffa = 1', 'utf16le')],
    ['UTF-16 of the other order', Buffer.from('\ufeffa = 1', 'utf16le').swap16()],
    ['UTF-16 without a mark', Buffer.from('a = 1', 'utf16le')],
  ])('is refused by its name when it is %s', (_what, bytes) => {
    expect(decodeSource(bytes)).toEqual({ problem: expect.stringContaining('UTF-16') });
  });

  it('is refused when it is no UTF-8', () => {
    expect(decodeSource(Buffer.from([0x61, 0xff, 0x62]))).toEqual({
      problem: 'the file is not UTF-8: save it as UTF-8',
    });
  });
});
