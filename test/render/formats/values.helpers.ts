/** Values that formats must write, and the results that a reader must give for them. */
import { Secret } from '../../../src/base/secret.ts';
import { isList, isSecret, type Value } from '../../../src/base/value.ts';

/** Texts that some parser of some format is known to misread. */
export const TEXTS: readonly string[] = [
  ...['', ' ', '  lead', 'trail ', '\ttab', '\t', 'a\nb', 'a\n', '\na', '\n', '\n\n', 'a\r\nb', 'a\rb', ' \n '],
  ...['"', "'", '`', 'it\'s "x"', "''", '\\', '\\\\', 'a\\', '\\n', '\\u0041', '\\ ', '\\\n'],
  ...['$HOME', '${HOME}', '$(id)', '%d', '%(x)s', '#', 'a #b', '# a', '!', '!x', '!!str x', '=', '==', ':', 'a: b'],
  ...[
    '- a',
    '-',
    '?',
    '? a',
    '[a]',
    '{a: b}',
    '{}',
    '[]',
    ',',
    '&a',
    '*a',
    '|',
    '>',
    '@a',
    '`a',
    '---',
    '...',
    '--- a',
  ],
  ...['1', '0', '-1', '+1', '1.10', '1e3', '1.0e+3', '.5', '0x1F', '0o17', '017', '08', '0b1', '1_000', '190:20:30'],
  ...['.inf', '-.Inf', '.NaN', 'NaN', 'Infinity', '9007199254740993', '2001-01-01', '2001-12-14t21:59:43.10-05:00'],
  ...['true', 'True', 'FALSE', 'yes', 'No', 'on', 'OFF', 'y', 'N', 'null', 'Null', '~', '<<'],
  ...['é', '😀', '日本', '\u00a0x', '\u0085', '\u2028', 'a\u2029b', '\ufeff', '\ufeffx', '\ufffe', '\uffff', '\u200b'],
  ...['\0', '\u0001', '\u001b[0m', '\u007f', '\u009f', '\f', '\v', '\b'],
  '-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n',
  `long ${'word '.repeat(200)}`,
];

/** Numbers as a backend may send them. */
export const NUMBERS: readonly string[] = [
  ...['0', '7', '-7', '9007199254740993', '123456789012345678901234567890', '1.10', '-0.5', '0.1', '3.0'],
  ...['1e5', '1E5', '1e-7', '1.5e3', '1.5E+3', '-2.5e-3', '6.02e+23'],
];

/** A value as a reader gives it, with the type of every leaf. */
type Typed = { readonly text: string } | { readonly number: string } | boolean | null | readonly Typed[] | TypedMap;
type TypedMap = { readonly map: readonly (readonly [string, Typed])[] };

/** A whole number exactly; any other number as the double that every reader makes of it. */
export function typedNumber(source: string): Typed {
  return { number: /^-?\d+$/.test(source) ? source : String(Number(source)) };
}

/** The result that a reader must give for a value. */
export function typed(value: Value): Typed {
  if (isList(value)) return value.map(typed);
  if (!isSecret(value)) return { map: [...value].map(([name, field]) => [name, typed(field)] as const) };
  if (value.type === 'bytes') return { text: Buffer.from(value.exposeBytes('file')).toString('base64') };
  const text = value.exposeText('file');
  if (value.type === 'number') return typedNumber(text);
  if (value.type === 'string') return { text };
  return value.type === 'null' ? null : text === 'true';
}

/** One value that holds each text as a value and as a name, each number, and nested and empty lists and maps. */
export function everything(): ReadonlyMap<string, Value> {
  const texts = TEXTS.map((text) => Secret.text(text));
  const leaf = Secret.text('x');
  return new Map<string, Value>([
    ['texts', texts],
    ['names', new Map(TEXTS.map((text, i) => [text, Secret.number(String(i))]))],
    ['maps', new Map(TEXTS.map((text) => [text, new Map([['in', leaf]])]))],
    ['numbers', NUMBERS.map((source) => Secret.number(source))],
    ['others', [Secret.boolean(true), Secret.boolean(false), Secret.null()]],
    ['binary', Secret.bytes(Uint8Array.of(0xff, 0, 0x0a, 0xfe))],
    ['empty', [[], new Map(), new Map([['l', []]]), [[]]]],
    ['deep', [[[leaf, [leaf]], new Map([['a', [leaf, new Map([['b', leaf]])]]])], new Map([['c', new Map()]])]],
    ['k'.repeat(3000), new Map([['é'.repeat(1500), leaf]])],
  ]);
}
