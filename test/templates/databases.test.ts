import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TEXTS } from '../render/formats/values.helpers.ts';
import { isHere, python, run, withPaths } from './programs.helpers.ts';
import { codeOf, eachText, golden, NASTY, textOf } from './templates.helpers.ts';

/** Prints the password that libpq would send. It needs no server: `PQpass` gives it after the file was read. */
const LIBPQ = `
import ctypes, ctypes.util, os
name = ctypes.util.find_library('pq')
def password(path):
    os.environ['PGPASSFILE'] = path
    conn = lib.PQconnectStart(b'host=pg.svc hostaddr=127.0.0.1 port=1 dbname=shop user=ann')
    return lib.PQpass(conn).decode()
if name:
    lib = ctypes.CDLL(name)
    lib.PQconnectStart.restype = ctypes.c_void_p
    lib.PQpass.argtypes, lib.PQpass.restype = [ctypes.c_void_p], ctypes.c_char_p
print(json.dumps([password(path) for path in sys.argv[1:]] if name else None))`;

/** The fields of a line, split as libpq splits it. */
const splitPgpass = (line: string): readonly string[] =>
  [...line.replace(/\n$/, '').matchAll(/((?:[^:\\]|\\[\s\S])*)(?::|$)/g)]
    .slice(0, 5)
    .map(([, field = '']) => field.replace(/\\([\s\S])/g, '$1'));

describe('builtin:pgpass', () => {
  it('writes its golden file', async () => {
    const text = await golden('pgpass', {
      host: 'pg.svc',
      port: '5432',
      database: 'a:b\\c',
      username: 'é d',
      password: NASTY,
    });
    expect(splitPgpass(text)).toEqual(['pg.svc', '5432', 'a:b\\c', 'é d', NASTY]);
  });

  it('is for every host, port and database unless these are given', async () => {
    expect(await textOf('pgpass', { username: 'u', password: 'p' })).toBe('*:*:*:u:p\n');
  });

  it('is read back by libpq', async ({ skip }) => {
    const taken = await eachText('pgpass', (text) => ({ host: 'pg.svc', username: 'ann', password: text }));
    expect(taken.length).toBeGreaterThan(TEXTS.length * 0.8);
    const wanted = taken.map(([text]) => text);
    expect(taken.map(([, file]) => splitPgpass(file)[4])).toEqual(wanted);
    const result = await withPaths(
      taken.map(([, file]) => file),
      async (paths) => {
        for (const path of paths) await chmod(path, 0o600);
        return python<unknown>(LIBPQ, ...paths);
      },
    );
    if (result === null) skip('libpq is not installed');
    expect(result).toEqual(wanted);
  });

  it('refuses a value that would begin another line or a comment', async () => {
    for (const text of ['a\nb', 'a\rb', 'a\0']) {
      expect(await codeOf('pgpass', { username: 'u', password: text })).toBe('RENDER_BAD_ARGUMENT');
      expect(await codeOf('pgpass', { username: text, password: 'p' })).toBe('RENDER_BAD_ARGUMENT');
    }
    expect(await codeOf('pgpass', { host: '#h', username: 'u', password: 'p' })).toBe('RENDER_BAD_ARGUMENT');
  });
});

const OPTION_ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', s: ' ' };

/** Reads an option file as the clients do (mysys/my_default.c): values by `group.name`. */
function readOptions(file: string): Readonly<Record<string, string>> {
  let group = '';
  const options: Record<string, string> = {};
  for (const line of file.split('\n').filter((text) => text !== '')) {
    group = /^\[(\w+)\]$/.exec(line)?.[1] ?? group;
    const [, name, value] = /^(\w+)="((?:[^"\\]|\\.)*)"$/.exec(line) ?? /^(\w+)=(\d+)$/.exec(line) ?? [];
    if (name === undefined) expect(line).toBe(`[${group}]`);
    else options[`${group}.${name}`] = (value ?? '').replace(/\\(.)/g, (_, char) => OPTION_ESCAPES[char] ?? char);
  }
  return options;
}

describe('builtin:my-cnf', () => {
  it('writes its golden file', async () => {
    const given = { host: 'my.svc', port: '3306', username: 'é d', password: `${NASTY}\n\t\r\b`, database: 'a"b' };
    expect(readOptions(await golden('my-cnf', given))).toEqual({
      'client.host': 'my.svc',
      'client.port': '3306',
      'client.user': 'é d',
      'client.password': given.password,
      'mysql.database': 'a"b',
    });
  });

  it('is read back by the clients of MySQL or MariaDB', async ({ skip }) => {
    const taken = await eachText('my-cnf', (text) => ({ username: 'u', password: text }));
    expect(taken.length).toBeGreaterThan(TEXTS.length * 0.9);
    expect(taken.map(([, file]) => readOptions(file)['client.password'])).toEqual(taken.map(([text]) => text));
    if (!(await isHere('my_print_defaults', '--version'))) skip('my_print_defaults is not on PATH');
    for (const [text, file] of taken) {
      await withPaths([file], async ([path]) => {
        const args = [`--defaults-file=${path}`, '--show', 'client'];
        // MariaDB always shows passwords, and does not know the option.
        const { stdout } = await run('my_print_defaults', args).catch(() =>
          run('my_print_defaults', [args[0] as string, 'client']),
        );
        expect(stdout).toBe(`--user=u\n--password=${text}\n`);
      });
    }
  });

  it('refuses NUL, a value longer than a line, and a port that is not a number', async () => {
    expect(await codeOf('my-cnf', { username: 'u', password: 'a\0b' })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('my-cnf', { username: 'u', password: '"'.repeat(2000) })).toBe('RENDER_BAD_ARGUMENT');
    expect(await codeOf('my-cnf', { port: '1\nx', username: 'u', password: 'p' })).toBe('RENDER_BAD_ARGUMENT');
  });
});

const REDIS_ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };

/** Reads the argument of a line of redis.conf as `sdssplitargs` does. */
function readRedis(line: string): string {
  const [, quoted = ''] = /^\w+ "((?:[^"\\]|\\.)*)"$/.exec(line) ?? [];
  const bytes = [...quoted.matchAll(/\\x([0-9a-f]{2})|\\(.)|(.)/g)].map(([, hex, escaped = '', plain = '']) =>
    hex === undefined ? (REDIS_ESCAPES[escaped] ?? (escaped + plain).charCodeAt(0)) : Number.parseInt(hex, 16),
  );
  return Buffer.from(bytes).toString();
}

describe('builtin:redis', () => {
  it('writes its golden file', async () => {
    const [first = '', second = ''] = (await golden('redis', { password: `${NASTY}\n` })).split('\n');
    expect([readRedis(first), readRedis(second)]).toEqual([`${NASTY}\n`, `${NASTY}\n`]);
    expect([first.split(' ')[0], second.split(' ')[0]]).toEqual(['requirepass', 'masterauth']);
  });

  it('holds every text', async () => {
    const taken = await eachText('redis', (text) => ({ password: text }));
    expect(taken.map(([, file]) => readRedis(file.split('\n')[0] as string))).toEqual(TEXTS);
  });

  it('is accepted by a real server', async ({ skip }) => {
    if (!(await isHere('redis-server', '--version'))) skip('redis-server is not on PATH');
    const password = `${NASTY}\n\r\t`;
    const dir = await mkdtemp(join(tmpdir(), 'pannier-redis-'));
    const socket = join(dir, 's');
    try {
      await withPaths([await textOf('redis', { password })], async ([path = '']) => {
        const server = execFile('redis-server', [path, '--port', '0', '--unixsocket', socket, '--dir', dir]);
        try {
          expect(await askRedis(socket, password)).toBe('+OK\r\n');
          expect(await askRedis(socket, `${password}x`)).toMatch(/^-WRONGPASS /);
        } finally {
          server.kill('SIGKILL');
        }
      });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

async function askRedis(socket: string, password: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await new Promise<string>((resolve, reject) => {
        const connection = createConnection(socket).on('error', reject);
        const bytes = Buffer.byteLength(password);
        connection.write(`*2\r\n$4\r\nAUTH\r\n$${bytes}\r\n${password}\r\n`);
        connection.once('data', (answer) => {
          connection.destroy();
          resolve(answer.toString());
        });
      });
    } catch (error) {
      if (attempt === 50) throw error;
      await sleep(100);
    }
  }
}
