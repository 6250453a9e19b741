import { describe, expect, it } from 'vitest';
import { QUOTINGS } from '../../src/render/text/quoting.ts';
import { jsonLines, run, withPaths } from './formats/installed.helpers.ts';
import { TEXTS } from './formats/values.helpers.ts';

type Target = keyof typeof QUOTINGS;

/** The texts that a target can write, and how it writes them. */
function written(target: Target): { readonly texts: readonly string[]; readonly quoted: readonly string[] } {
  const pairs = TEXTS.flatMap((text) => {
    const quoted = QUOTINGS[target].quote(text);
    return quoted === undefined ? [] : [[text, quoted] as const];
  });
  expect(pairs.length).toBeGreaterThan(TEXTS.length * 0.7);
  return { texts: pairs.map(([text]) => text), quoted: pairs.map(([, quoted]) => quoted) };
}

/** The texts that Python reads back; `read` is a Python expression that reads `q`, the quoted text. */
async function byPython(quoted: readonly string[], imports: string, read: string): Promise<readonly string[]> {
  const script = `import sys, json, ${imports}\nprint(json.dumps([${read} for q in json.load(open(sys.argv[1]))]))`;
  return withPaths([JSON.stringify(quoted)], async ([path = '']) => {
    const { stdout } = await run('python3', ['-c', script, path], { maxBuffer: 1 << 28 });
    return jsonLines<string[]>(stdout)[0] ?? [];
  });
}

/** The targets of builtin templates are checked with their programs in test/templates/. */
describe('what quote writes', () => {
  it('for the shell is one word of sh', async () => {
    const { texts, quoted } = written('shell');
    const { stdout } = await run('sh', ['-c', `printf '%s\\0' ${quoted.join(' ')}`], { maxBuffer: 1 << 28 });
    expect(stdout.split('\0').slice(0, -1)).toEqual(texts);
  });

  it('for SQL is a string of SQLite', async () => {
    const { texts, quoted } = written('sql');
    const read = 'sqlite3.connect(":memory:").execute("select " + q).fetchone()[0]';
    expect(await byPython(quoted, 'sqlite3', read)).toEqual(texts);
  });

  it('for XML is text and an attribute', async () => {
    const { texts, quoted } = written('xml');
    const parse = 'xml.etree.ElementTree.fromstring';
    expect(await byPython(quoted, 'xml.etree.ElementTree', `${parse}("<a>" + q + "</a>").text or ""`)).toEqual(texts);
    expect(await byPython(quoted, 'xml.etree.ElementTree', `${parse}("<a b='" + q + "'/>").get("b")`)).toEqual(texts);
    expect(await byPython(quoted, 'html', 'html.unescape(q)')).toEqual(
      texts.map((text) => (text.includes('\r') ? expect.anything() : text)),
    );
  });

  it('for TOML is a string of Python’s tomllib', async ({ skip }) => {
    await run('python3', ['-c', 'import tomllib']).catch(() => skip('this Python has no tomllib (3.11)'));
    const { texts, quoted } = written('toml');
    expect(await byPython(quoted, 'tomllib', 'tomllib.loads("a = " + q)["a"]')).toEqual(texts);
  });

  it('for INI is a value of git’s configuration', async ({ skip }) => {
    await run('git', ['--version']).catch(() => skip('git is not installed'));
    const { texts, quoted } = written('ini');
    const file = `[s]\n${quoted.map((value, i) => `k${i} = ${value}\n`).join('')}`;
    await withPaths([file], async ([path = '']) => {
      const { stdout } = await run('git', ['config', '--null', '--list', '--file', path], { maxBuffer: 1 << 28 });
      expect(stdout.split('\0').slice(0, -1)).toEqual(texts.map((text, i) => `s.k${i}\n${text}`));
    });
  });

  it('for JSON and for a URL is read back by JavaScript', () => {
    const json = written('json');
    expect(json.quoted.map((quoted) => JSON.parse(quoted))).toEqual(json.texts);
    const url = written('url');
    expect(url.quoted.map((quoted) => decodeURIComponent(quoted))).toEqual(url.texts);
    expect(url.quoted.map((quoted) => new URL(`http://x/?a=${quoted}`).searchParams.get('a'))).toEqual(url.texts);
  });

  it('for MySQL escapes what ends a string and what begins an escape', () => {
    expect(QUOTINGS.mysql.quote(`it's "a\\b"\n\r\0`)).toBe(String.raw`'it\'s "a\\b"\n\r\0'`);
  });

  const refused: readonly (readonly [target: Target, texts: readonly string[]])[] = [
    ['shell', ['\0']],
    ['sql', ['\0']],
    ['ini', ['\0', 'a\rb']],
    ['xml', ['\0', '\u0001', '\uffff', '\ud800']],
    ['toml', ['\ud800']],
    ['url', ['\ud800']],
    ['properties', ['\ud800']],
    ['properties-key', ['\ud800']],
    ['pgpass', ['\0', 'a\nb', 'a\r']],
    ['my.cnf', ['\0', 'x'.repeat(4000), '\n'.repeat(2000)]],
    ['redis', ['\ud800']],
    ['systemd', ['\0', '\r', '\u001b', '\u007f', '\ufffe', '\ud800']],
    ['ado.net', ['\0']],
    ['dotenv', ['\0', 'it\'s "x"', '${x}']],
  ];
  it.each(refused)('for %s is undefined for texts that it cannot hold', (target, texts) => {
    expect(texts.map((text) => QUOTINGS[target].quote(text))).toEqual(texts.map(() => undefined));
  });
});
