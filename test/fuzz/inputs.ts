import * as fc from 'fast-check';
import { CANARY } from './border.ts';

/** Texts that parsers, terminals and regular expressions have been wrong about. */
const NASTY = [
  '',
  ' ',
  '\0',
  '\n',
  '\r\n',
  '\t',
  '\ufeff',
  '\u2028',
  '\u202e',
  '\x1b[2J',
  '\x9b31m',
  '\ud800',
  'é',
  '😀',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '..',
  '../../etc/passwd',
  '/dev/stdin',
  '/proc/self/environ',
  '{{',
  '}}',
  '${',
  '${env:CANARY}',
  '$${',
  '%',
  '%00',
  '"',
  "'",
  '`',
  '\\',
  '#',
  '&a',
  '*a',
  '<<',
  '!!js/function',
  '|',
  '>',
  '-',
  '?',
  ':',
  '~',
  'null',
  'true',
  'yes',
  '0',
  '-0',
  '1e999',
  '9007199254740993',
  '0x1F',
  'NaN',
  'Infinity',
  '1ms',
  '30d',
  '99999999999999999999h',
  '2026-01-01T00:00:00Z',
  'a'.repeat(300),
  '('.repeat(40),
  '['.repeat(300),
  '{"a":'.repeat(300),
];

export const nasty: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
);

/** A value that must not be seen. */
export const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(CANARY) },
  { weight: 1, arbitrary: fc.tuple(nasty, nasty).map(([before, after]) => `${before}${CANARY}${after}`) },
);

/** JSON with values at its leaves, and with names among `names` as often as not. */
export function json(names: readonly string[]): fc.Arbitrary<unknown> {
  const name = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: nasty });
  const leaf = fc.oneof(
    { weight: 4, arbitrary: value },
    { weight: 1, arbitrary: fc.constantFrom('', '1', '2026-01-01T00:00:00Z', 'kv', '2', '4', 'database') },
    { weight: 2, arbitrary: fc.constantFrom<unknown>(0, 1, -1, 3600, 2 ** 31, 1e300, 1.5, true, false, null) },
  );
  return fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      leaf,
      fc.dictionary(name, tie('node'), { maxKeys: 6, noNullPrototype: true }),
      fc.array(tie('node'), { maxLength: 3 }),
    ),
  })).node;
}

/** Bytes of a text that were damaged in a few places: cut, repeated, replaced, and other text put in. */
export function damaged(text: fc.Arbitrary<string | Uint8Array>, pieces: readonly string[] = []): fc.Arbitrary<Buffer> {
  const piece = pieces.length === 0 ? nasty : fc.oneof(nasty, fc.constantFrom(...pieces));
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(60)),
    put: fc.oneof(piece, fc.constant('')),
    byte: fc.option(fc.nat(255), { freq: 4 }),
  });
  return fc.tuple(text, fc.array(change, { maxLength: 4 })).map(([given, changes]) => {
    let bytes = Buffer.from(given as string);
    for (const { at, removed, put, byte } of changes) {
      const offset = Math.floor(at * bytes.length);
      const middle = byte === null ? Buffer.from(put) : Buffer.from([byte]);
      bytes = Buffer.concat([bytes.subarray(0, offset), middle, bytes.subarray(offset + removed)]);
    }
    return bytes;
  });
}
