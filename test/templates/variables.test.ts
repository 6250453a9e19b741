import { describe, expect, it } from 'vitest';
import { dotenvReaders } from '../render/formats/dotenv.helpers.ts';
import { propertiesReaders } from '../render/formats/properties.helpers.ts';
import { TEXTS } from '../render/formats/values.helpers.ts';
import { python, withPaths } from './programs.helpers.ts';
import { codeOf, eachText, golden, NASTY, textOf } from './templates.helpers.ts';

describe('builtin:dotenv', () => {
  it('writes its golden file', async () => {
    const text = await golden('dotenv', { DB_USER: 'shop', DB_PASS: `p@ss "w" $HOME #no`, motd: "it's" });
    expect(text).toBe(`DB_USER='shop'\nDB_PASS='p@ss "w" $HOME #no'\nmotd="it's"\n`);
  });

  it('is read back by sh and by every reader of such files', async () => {
    const { readers, missing } = await dotenvReaders();
    if (missing.length > 0) console.warn(`not checked with ${missing.join('; ')}`);
    const taken = await eachText('dotenv', (text) => ({ A: 'a', V: text, B: 'b' }));
    expect(taken.length).toBeGreaterThan(TEXTS.length * 0.8);
    for (const reader of readers) {
      const result = await reader.read(taken.map(([, file]) => file));
      expect(result.map(({ A, V, B }) => [A, V, B])).toEqual(taken.map(([text]) => ['a', text, 'b']));
    }
  });

  it('refuses an invalid name, and a value that is not a single text', async () => {
    expect(await codeOf('dotenv', { 'a\nB': 'x' })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('dotenv', { 'pass-word': 'x' })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('dotenv', { A: null })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('dotenv', { A: ['x'] })).toBe('RENDER_BAD_ARGUMENT');
  });
});

describe('builtin:properties', () => {
  it('writes its golden file', async () => {
    await golden('properties', { 'db.user': 'shop', 'a key: 1': NASTY, '#é': ' \n\t\\' });
  });

  it('is read back by Java and others, as key and as value', async () => {
    const { here, missing } = await propertiesReaders();
    if (missing.length > 0) console.warn(`not checked with ${missing.join('; ')}`);
    // jproperties drops an escaped byte order mark, which the format keeps.
    const texts = TEXTS.filter((text) => !text.startsWith('\ufeff'));
    const values = Object.fromEntries(texts.map((text, i) => [`k${i}`, text]));
    const keys = Object.fromEntries(texts.map((text, i) => [`${text}${i}`, 'x']));
    const file = Buffer.from(await textOf('properties', { ...values, ...keys }));
    for (const reader of here) {
      expect(await reader.read(file)).toEqual(new Map(Object.entries({ ...values, ...keys })));
    }
  });
});

/** Calls `load_env_file` in the shared library of systemd. */
const LOAD_ENV_FILE = `
import ctypes, glob
found = glob.glob('/usr/lib/*/systemd/libsystemd-shared-*.so') + glob.glob('/usr/lib*/systemd/libsystemd-shared-*.so')
def read(path):
    lib, out = ctypes.CDLL(found[0]), ctypes.POINTER(ctypes.c_char_p)()
    assert lib.load_env_file(None, path.encode(), ctypes.byref(out)) == 0
    result = []
    while out[len(result)]: result.append(out[len(result)].decode())
    return result
print(json.dumps([read(path) for path in sys.argv[1:]] if found else None))`;

/** Reads an EnvironmentFile= by the rules of systemd.exec(5) for quoted values. */
function readEnvironmentFile(file: string): readonly string[] {
  const lines = [...file.matchAll(/^([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"\n/gms)];
  expect(lines.map(([whole]) => whole).join('')).toBe(file);
  return lines.map(([, name, value = '']) => `${name}=${value.replace(/\\(["\\`$])|\\\n/g, '$1')}`);
}

describe('builtin:systemd-env', () => {
  it('writes its golden file', async () => {
    const given = { DB_USER: 'shop', DB_PASS: NASTY, MOTD: 'two\nlines\t\\' };
    const text = await golden('systemd-env', given);
    expect(readEnvironmentFile(text)).toEqual(Object.entries(given).map(([name, value]) => `${name}=${value}`));
  });

  it('is read back by the rules and by systemd', async ({ skip }) => {
    const taken = await eachText('systemd-env', (text) => ({ A: 'a', V: text, B: 'b' }));
    expect(taken.length).toBeGreaterThan(TEXTS.length * 0.8);
    const wanted = taken.map(([text]) => ['A=a', `V=${text}`, 'B=b']);
    expect(taken.map(([, file]) => readEnvironmentFile(file))).toEqual(wanted);
    const files = taken.map(([, file]) => file);
    const result = await withPaths(files, (paths) => python<unknown>(LOAD_ENV_FILE, ...paths)).catch(String);
    if (result === null) skip('systemd is not installed');
    expect(result).toEqual(wanted);
  });

  it('refuses a value that systemd would drop', async () => {
    for (const text of ['\0', 'a\rb', '\u001b[0m', '\u007f', '\uffff']) {
      expect(await codeOf('systemd-env', { A: text })).toBe('RENDER_BAD_ARGUMENT');
    }
    expect(await codeOf('systemd-env', { 'a=b': 'x' })).toBe('RENDER_BAD_ARGUMENT');
  });
});
