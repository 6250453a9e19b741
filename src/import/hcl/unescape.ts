const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

const NUMERIC: readonly (readonly [RegExp, number])[] = [
  [/\\([0-7]{3})/y, 8],
  [/\\x([0-9a-fA-F]{2})/y, 16],
  [/\\u([0-9a-fA-F]{4})/y, 16],
  [/\\U([0-9a-fA-F]{8})/y, 16],
];

/**
 * The text that stands between quotes. Escapes are those of Go; from `${` to its `}` nothing is one.
 * Bytes above 127 that `\xHH` and `\NNN` write are put together as UTF-8.
 */
export function unescapeHcl(written: string): string | { readonly problem: string; readonly offset: number } {
  if (!written.includes('\\')) return written;
  const pieces: Buffer[] = [];
  let depth = 0;
  let from = 0;
  const take = (to: number) => {
    if (to > from) pieces.push(Buffer.from(written.slice(from, to), 'utf8'));
  };
  for (let i = 0; i < written.length; ) {
    const char = written[i];
    if (depth > 0) {
      if (char === '{') depth++;
      else if (char === '}') depth--;
      i++;
    } else if (char === '$' && written[i + 1] === '{') {
      depth = 1;
      i += 2;
    } else if (char === '\\') {
      take(i);
      const found = escapeAt(written, i);
      if (found === undefined) return { problem: 'an escape that is none: \\n, \\", \\\\ and the like are', offset: i };
      pieces.push(found.bytes);
      i += found.length;
      from = i;
    } else i++;
  }
  take(written.length);
  return Buffer.concat(pieces).toString('utf8');
}

function escapeAt(written: string, at: number): { readonly bytes: Buffer; readonly length: number } | undefined {
  const simple = SIMPLE[written[at + 1] ?? ''];
  if (simple !== undefined) return { bytes: Buffer.from(simple), length: 2 };
  for (const [shape, base] of NUMERIC) {
    shape.lastIndex = at;
    const found = shape.exec(written);
    if (found === null) continue;
    const code = Number.parseInt(found[1] as string, base);
    const isByte = found[0].length === 4;
    if (code > (isByte ? 0xff : 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    const bytes = isByte ? Buffer.from([code]) : Buffer.from(String.fromCodePoint(code), 'utf8');
    return { bytes, length: found[0].length };
  }
  return undefined;
}
