import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { DotenvError, parseDotenv } from '../../../src/backend/file/dotenv.ts';
import { quoteDotenv } from '../../../src/render/text/dotenv.ts';

const read = (text: string) => Object.fromEntries(parseDotenv(text));

/** The variables that POSIX sh reads from a file. Only for files that are safe to source. */
function shell(text: string, names: readonly string[]) {
  const script = `${text}\n${names.map((name) => `printf '%s\\0' "$${name}"`).join('\n')}`;
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  return Object.fromEntries(
    stdout
      .split('\0')
      .slice(0, -1)
      .map((value, at) => [names[at], value]),
  );
}

describe('a dotenv file', () => {
  it.each<[string, string, Record<string, string>]>([
    ['plain values', 'A=1\nB=two\n', { A: '1', B: 'two' }],
    ['an empty value', 'A=\nB=""\n', { A: '', B: '' }],
    ['a # within a word', 'A=a#b\nB=pa#ss#\n', { A: 'a#b', B: 'pa#ss#' }],
    ['a comment after white space', 'A=a #b\nB="a" # b\n# C=c\n   # D=d\n', { A: 'a', B: 'a' }],
    ['export, and what comes twice', 'export A=1\nA=2', { A: '2' }],
    ['single quotes as they stand', "A='a #\"$b ${c} `d` \\n'\n", { A: 'a #"$b ${c} `d` \\n' }],
    ['escaped quotes and backslashes in double quotes', 'A="a\\"b\\\\c"\nB="it\'s"', { A: 'a"b\\c', B: "it's" }],
    ['several lines', 'A="one\ntwo"\nB=\'three\nfour\'\nC=1', { A: 'one\ntwo', B: 'three\nfour', C: '1' }],
    ['an equals sign in the value', 'A=b==', { A: 'b==' }],
  ])('is read as shells read it: %s', (_title, text, wanted) => {
    expect(read(text)).toEqual(wanted);
    expect(shell(text, Object.keys(wanted))).toEqual(wanted);
  });

  it.each<[string, string, Record<string, string>]>([
    ['white space around the equals sign and at the ends', '  A  =  a b  \n', { A: 'a b' }],
    ['lines that end with CR LF', 'A=1\r\nB="x\r\ny"\r\n', { A: '1', B: 'x\ny' }],
    ['line breaks in double quotes', 'A="a\\nb\\r"', { A: 'a\nb\r' }],
    ['quotes and backslashes in the middle', 'A=C:\\dir\nB=it"s', { A: 'C:\\dir', B: 'it"s' }],
    ['names with dots and dashes', 'a.b-c=1', { 'a.b-c': '1' }],
    ['a name that means something in JavaScript', '__proto__=1', { ['__proto__']: '1' }],
    ['a $ that is no variable to anybody', 'A=a$\nB="$ 5"\nC=a$!', { A: 'a$', B: '$ 5', C: 'a$!' }],
    ['nothing', '\n\n# only this\n', {}],
  ])('is read as the libraries read it: %s', (_title, text, wanted) => {
    expect([...parseDotenv(text)]).toEqual(Object.entries(wanted));
  });

  it.each(['plain', 'a #b', "it's", "it's \\x", '$a `b` "c"', 'one\ntwo', '', ' x ', 'C:\\dir', "it's\nthree\tof"])(
    'that was written here is read back: %j',
    (text) => {
      expect(read(`A=${quoteDotenv(text)}\nB=1\n`)).toEqual({ A: text, B: '1' });
    },
  );

  it('of many megabytes in one value is read', () => {
    expect(read(`A="${'x'.repeat(5_000_000)}"`)['A']).toHaveLength(5_000_000);
  });

  it.each<[string, string, number]>([
    ['a line without an equals sign', 'A=1\nc4n4ry\n', 2],
    ['a name that is none', 'A=1\nc4n4ry!x=1\n', 2],
    ['a colon in its place', 'A: c4n4ry\n', 1],
    ['a quote that is not closed', 'A=1\n\nB="c4n4ry\nC=3\n', 3],
    ['a single quote that is not closed', "A='c4n4ry", 1],
    ['text after a closing quote', 'A="c4n4ry"x\n', 1],
    ['a comment that touches the quote', 'A="c4n4ry"#x\n', 1],
    ['a value that begins with #', 'A=#c4n4ry\n', 1],
    ['a comment in the place of a value', 'A= # c4n4ry\n', 1],
    ['a backtick', 'A=`c4n4ry`\n', 1],
    ['a variable', 'A=c4n4ry\nB=$A\n', 2],
    ['a variable in double quotes', 'A="c4n4ry ${HOME}"\n', 1],
    ['a command', 'A="$(echo c4n4ry)"\n', 1],
    ['two dollar signs', 'A=c4$$n4ry\n', 1],
    ['another escape', 'B="x\ny"\nA="c4n4ry\\t"\n', 3],
    ['an escaped dollar sign', 'A="c4n4ry\\$x"\n', 1],
    ['an escaped single quote', "A='c4n4ry\\'s'\n", 1],
    ['an escaped backslash in single quotes', "A='c4n4ry\\\\'\n", 1],
  ])('is refused with its line, and without its text: %s', (_title, text, line) => {
    let refused: unknown;
    try {
      parseDotenv(text);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(DotenvError);
    expect(refused).toMatchObject({ line });
    expect(String(refused)).not.toContain('c4n4ry');
  });
});
