import { NotKept } from './expr.ts';

const POSIX: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\t\\n\\v\\f\\r ',
  blank: '\\t ',
  punct: '!-\\/:-@\\[-`{-~',
  word: 'A-Za-z0-9_',
  xdigit: '0-9A-Fa-f',
};

/** Escapes that mean the same in Go's RE2 and in JavaScript with the flag `u`. */
const SAME = /^\\(?:[dDwWsSbBnrtfv0]|[\^$\\.*+?()[\]{}|/-]|x[0-9a-fA-F]{2})/;

/** A pattern of Go (RE2) as one of JavaScript, and whether it ignores case. @throws NotKept */
export function toJsPattern(pattern: string): { readonly pattern: string; readonly ignoreCase: boolean } {
  const flags = /^\(\?([a-zA-Z]+)\)/.exec(pattern);
  if (flags !== null && flags[1] !== 'i') throw notKept(`the flags (?${flags[1]})`);
  const text = flags === null ? pattern : pattern.slice(flags[0].length);
  let made = '';
  let isInClass = false;
  for (let i = 0; i < text.length; ) {
    const rest = text.slice(i, i + 40);
    const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (isInClass && posix !== null) {
      const set = POSIX[posix[2] ?? ''];
      if (set === undefined || posix[1] === '^') throw notKept(`the class ${posix[0]}`);
      made += set;
      i += posix[0].length;
    } else if (rest.startsWith('\\')) {
      const [same, length] = escapeOf(rest, isInClass);
      made += same;
      i += length;
    } else if (!isInClass && rest.startsWith('(?')) {
      const group = /^\(\?(?::|P?<(\w+)>)/.exec(rest);
      if (group === null) throw notKept('a group with flags');
      made += group[1] === undefined ? '(?:' : `(?<${group[1]}>`;
      i += group[0].length;
    } else {
      const char = rest[0] as string;
      if (char === '[' && !isInClass) {
        isInClass = true;
        // A ] right behind the beginning is a plain character in Go.
        const head = /^\[\^?\]/.exec(rest)?.[0];
        made += head === undefined ? '[' : `${head.slice(0, -1)}\\]`;
        i += head?.length ?? 1;
        continue;
      }
      if (char === ']' && isInClass) isInClass = false;
      // Alone these are plain characters in Go, and errors in JavaScript.
      else if (isInClass ? char === '[' : char === ']' || char === '}' || (char === '{' && !/^\{\d+,?\d*\}/.test(rest)))
        made += '\\';
      if (!isInClass && char === '{' && /^\{\d+,?\d*\}/.test(rest)) {
        const count = /^\{\d+,?\d*\}/.exec(rest)?.[0] as string;
        made += count;
        i += count.length;
        continue;
      }
      made += char;
      i++;
    }
  }
  try {
    new RegExp(made, 'u');
  } catch {
    throw notKept('this pattern');
  }
  return { pattern: made, ignoreCase: flags !== null };
}

function escapeOf(rest: string, isInClass: boolean): readonly [written: string, length: number] {
  const same = SAME.exec(rest)?.[0];
  if (same !== undefined) return [same, same.length];
  const wide = /^\\x\{([0-9a-fA-F]+)\}/.exec(rest);
  if (wide !== null) return [`\\u{${wide[1]}}`, wide[0].length];
  const property = /^\\[pP](?:\{\^?(\w+)\}|(\w))/.exec(rest);
  if (property !== null) {
    const name = property[1] ?? property[2] ?? '';
    const script = name.length > 2 ? `Script=${name}` : name;
    return [`\\${rest[1]}{${script}}`, property[0].length];
  }
  if (!isInClass && rest.startsWith('\\A')) return ['^', 2];
  if (!isInClass && rest.startsWith('\\z')) return ['$', 2];
  if (rest[1] !== undefined && /[^A-Za-z0-9]/.test(rest[1])) return [rest[1], 2];
  throw notKept(`the escape ${rest.slice(0, 2)}`);
}

/** A replacement of Go (`$1`, `${name}`, `$$`) as one of JavaScript. */
export function toJsReplacement(text: string): string {
  return text.replace(/\$(?:\$|\{(\w*)\}|(\w+)|)/g, (whole, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare;
    if (whole === '$$' || name === undefined) return '$$';
    if (/^\d+$/.test(name)) return name === '0' ? '$&' : `$${name}`;
    // Go takes the longest name: `$1x` is the group named 1x, which there is not.
    return /^\d/.test(name) ? '' : `$<${name}>`;
  });
}

const notKept = (what: string): NotKept =>
  new NotKept(`${what} of a regular expression cannot be written here`, 'Write the pattern in another way.');
