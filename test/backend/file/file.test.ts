import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Fetched, Want } from '../../../src/backend/backend.ts';
import { createFileBackend } from '../../../src/backend/file/backend.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { type Failure, PannierError } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { Releases } from '../../../src/base/releases.ts';
import { isFields, isList, type Value } from '../../../src/base/value.ts';
import { expectNoLeaks } from '../../faults/leaks.ts';

const releases = new Releases();
expectNoLeaks();
afterEach(() => releases.releaseAll());
const never = new AbortController().signal;

function folder(files: Record<string, string | Uint8Array> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-file-'));
  releases.push(() => rmSync(dir, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  return dir;
}

function want(key: string): Want {
  const request = { kind: 'file', key } as const;
  return { id: key, backend: 'local', request, place: 'secrets.x', refreshMs: 300_000, optional: false };
}

function open(path: string) {
  const facts: Fact[] = [];
  const backend = createFileBackend(
    { kind: 'file', name: 'local', path },
    { emit: (f) => facts.push(f), clock: systemClock },
  );
  releases.push(async () => backend[Symbol.asyncDispose]());
  const fetch = async (key: string, last?: Fetched): Promise<Fetched> => {
    const got = await backend.source.fetch(want(key), last, never);
    if (got.state === 'unchanged') throw new Error('unchanged');
    return got.value;
  };
  const shown = async (key: string) => show((await fetch(key)).fields);
  const failing = async (key: string): Promise<Failure> => {
    const error = await fetch(key).catch((caught: unknown) => caught);
    if (error instanceof PannierError) return error.failure;
    throw new Error('the fetch should have failed');
  };
  return { backend, facts, fetch, shown, failing };
}

/** Leaves as `type:text`, so that a test compares both. */
function show(value: Value): unknown {
  if (isFields(value)) return Object.fromEntries([...value].map(([name, inner]) => [name, show(inner)]));
  if (isList(value)) return value.map(show);
  if (value.type === 'bytes') return `bytes:${Buffer.from(value.exposeBytes('backend')).toString('hex')}`;
  return `${value.type}:${value.exposeText('backend')}`;
}

describe('a YAML file', () => {
  const write = (text: string) => open(join(folder({ 'secrets.yaml': text }), 'secrets.yaml'));

  it('gives the map under a key as fields, and a leaf as the field value', async () => {
    const { shown } = write('app: { user: me, port: 5432, on: true, none: null, list: [1, a] }\ntoken: t\nlist: [a]\n');
    expect(await shown('app')).toEqual({
      user: 'string:me',
      port: 'number:5432',
      on: 'boolean:true',
      none: 'null:null',
      list: ['number:1', 'string:a'],
    });
    expect(await shown('token')).toEqual({ value: 'string:t' });
    expect(await shown('list')).toEqual({ value: ['string:a'] });
    expect(Object.keys((await shown('.')) as object)).toEqual(['app', 'token', 'list']);
  });

  it.each([
    ['9007199254740993', 'number:9007199254740993'],
    ['1.10', 'number:1.10'],
    ['-2e5', 'number:-2e5'],
    ['012', 'string:012'],
    ['0x1F', 'string:0x1F'],
    ['+1', 'string:+1'],
    ['.5', 'string:.5'],
    ['.inf', 'string:.inf'],
    ['"1.10"', 'string:1.10'],
    ['!!str 7', 'string:7'],
    ['no', 'string:no'],
    ['2026-01-01', 'string:2026-01-01'],
    ['|\n  a\n  b\n', 'string:a\nb\n'],
    ['!!binary /wD+', 'bytes:ff00fe'],
    ['', 'null:null'],
  ])('keeps %j as %s', async (text, value) => {
    expect(await write(`x: { y: ${text} }`.replace('{ y: |', '\n y: |').replace(/\n }$/, '')).shown('x')).toEqual({
      y: value,
    });
  });

  it('takes names like __proto__ and numbers for names as they are written', async () => {
    const { fetch } = write('x:\n  __proto__: own\n  constructor: c\n  1.10: n\n  true: t\n');
    expect([...(await fetch('x')).fields.keys()]).toEqual(['__proto__', 'constructor', '1.10', 'true']);
  });

  it('follows aliases', async () => {
    expect(await write('base: &b { a: 1 }\nx: { copy: *b }\n').shown('x')).toEqual({ copy: { a: 'number:1' } });
  });

  it.each([
    ['a syntax error', 'a: 1\nb: [canary\n', 'not valid YAML', 'line 3'],
    ['a tab', 'a:\n\tb: canary\n', 'not valid YAML', 'line 2'],
    ['a name twice', 'a: canary\na: canary2\n', 'not valid YAML (DUPLICATE_KEY)', 'line 2, column 1'],
    ['an alias without an anchor', 'a: *canary\n', 'alias without an anchor', 'line 1, column 4'],
    ['two documents', 'a: 1\n---\nb: canary\n', 'not valid YAML', 'line 2'],
    ['a merge key', 'a: &a { x: canary }\nb: { <<: *a }\n', 'merge keys are not supported', 'line 2, column 6'],
    ['a tag of an application', 'a: !canary x\n', 'a tag that is not known', 'line 1, column 12'],
    ['a map for a name', '? { canary: 1 }\n: x\n', 'a name that is not text', 'line 1, column 3'],
    ['a list at the top', '- canary\n', 'the top level is not a map of names', ''],
    ['a word at the top', 'canary', 'the top level is not a map of names', ''],
    ['itself in itself', 'a: &a [*a]\n', '', 'line 1'],
  ])('with %s is BACKEND_FILE, with line and column and without its text', async (_, text, says, where) => {
    const { failing, facts } = write(text);
    const failed = await failing('a');
    expect(failed).toMatchObject({ code: 'BACKEND_FILE', place: 'secrets.x' });
    expect(failed.seen).toContain(says);
    expect(failed.seen).toContain(where);
    expect(JSON.stringify([failed, facts])).not.toContain('canary');
    expect(facts).toMatchObject([{ kind: 'backend-failed', backend: 'local', failure: { code: 'BACKEND_FILE' } }]);
  });

  it('that multiplies by aliases is refused before it fills the memory', async () => {
    const laughs = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 20; i++) {
      const [from, to] = [i - 1, i].map((n) => String.fromCharCode(97 + n));
      laughs.push(`${to}: &${to} [*${from},*${from},*${from},*${from},*${from},*${from},*${from},*${from},*${from}]`);
    }
    expect((await write(laughs.join('\n')).failing('t')).seen).toContain('too much repeated by aliases');
  });

  it('nested a hundred thousand deep is refused', async () => {
    expect((await write(`a: ${'['.repeat(100_000)}`).failing('a')).code).toBe('BACKEND_FILE');
  });
});

describe('a JSON file', () => {
  it('gives fields, with numbers and names as they stand', async () => {
    const path = join(folder({ 's.json': '\ufeff{"x":{"__proto__":1.10,"b":[{"c":null}]},"y":"z"}' }), 's.json');
    const { fetch, shown } = open(path);
    expect([...(await fetch('x')).fields.keys()]).toEqual(['__proto__', 'b']);
    expect(await shown('y')).toEqual({ value: 'string:z' });
  });

  it('fails with line and column when it is broken', async () => {
    const { failing } = open(join(folder({ 's.json': '{\n  "a": canary }' }), 's.json'));
    const failed = await failing('a');
    expect(failed.seen).toMatch(/s\.json: not valid JSON, line 2, column 8$/);
  });
});

it.each(['.env', 'app.env', '.env.local'])(
  'a dotenv file %s gives each variable as a secret, and "." all',
  async (name) => {
    const { shown } = open(join(folder({ [name]: '# x\nexport A=1\nB="two # lines\n2" # c\nC=\n' }), name));
    expect(await shown('A')).toEqual({ value: 'string:1' });
    expect(await shown('.')).toEqual({ A: 'string:1', B: 'string:two # lines\n2', C: 'string:' });
  },
);

describe('a folder', () => {
  it('gives a subfolder as exact bytes, a file by its kind, and a plain file as value', async () => {
    const { shown } = open(
      folder({
        'tls/tls.key': Buffer.from([0xff, 0x00, 0x0a]),
        'tls/.dockerconfigjson': '{}\n',
        'tls/deeper/no': 'x',
        'db.yaml': 'user: me\n',
        'api.json': '{"k":1}',
        'dot.env': 'A=1\n',
        token: 'abc\n',
        'team/shop/user': 'u',
      }),
    );
    expect(await shown('tls')).toEqual({ '.dockerconfigjson': 'string:{}\n', 'tls.key': 'bytes:ff000a' });
    expect(await shown('db')).toEqual({ user: 'string:me' });
    expect(await shown('api')).toEqual({ k: 'number:1' });
    expect(await shown('dot')).toEqual({ A: 'string:1' });
    expect(await shown('token')).toEqual({ value: 'string:abc\n' });
    expect(await shown('db.yaml')).toEqual({ value: 'string:user: me\n' });
    expect(await shown('team/shop')).toEqual({ user: 'string:u' });
  });

  it('with two things for one key is refused', async () => {
    const { failing } = open(folder({ 'db.yaml': 'a: 1', 'db.json': '{}' }));
    expect((await failing('db')).seen).toContain('both db.yaml and db.json');
  });

  it.each(['../x', '..', 'a/../../x', '/etc/passwd', 'a//b', './a', '..data', '..2026/x', 'a\0b', ''])(
    'is not left by the key %j',
    async (key) => {
      const dir = folder({ x: 'canary', 'in/a/b': 'y', 'in/..data/y': 'z', 'in/..2026/x': 'z' });
      expect((await open(join(dir, 'in')).failing(key)).code).toBe('SECRET_NOT_FOUND');
    },
  );

  it('mounted by the kubelet is read as one state of the volume', async () => {
    const dir = folder();
    const swap = (n: number) => {
      mkdirSync(join(dir, `..${n}`));
      for (const name of ['user', 'password']) writeFileSync(join(dir, `..${n}`, name), String(n));
      symlinkSync(`..${n}`, join(dir, '..data_tmp'));
      renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
      if (n > 0) rmSync(join(dir, `..${n - 1}`), { recursive: true });
    };
    swap(0);
    for (const name of ['user', 'password']) symlinkSync(`..data/${name}`, join(dir, name));
    const { shown } = open(dir);
    for (let n = 1; n < 60; n++) {
      const reading = shown('.');
      await new Promise((resolve) => setImmediate(resolve));
      swap(n);
      const { user, password } = (await reading) as { user: string; password: string };
      expect(user).toBe(password);
    }
    expect(readdirSync(dir)).toContain('..data');
  });
});

describe('what is not there', () => {
  it('is SECRET_NOT_FOUND for a key, BACKEND_FILE for the file', async () => {
    const dir = folder({ 's.yaml': 'a: 1\n', 'e.yaml': '# nothing\n', 'n.yaml': 'a:\nb: {}\n', 'x.toml': '' });
    expect(await open(join(dir, 's.yaml')).failing('b')).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(await open(join(dir, 's.yaml')).failing('constructor')).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(await open(join(dir, 'e.yaml')).failing('b')).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(await open(join(dir, 'n.yaml')).failing('a')).toMatchObject({ code: 'SECRET_EMPTY' });
    expect(await open(join(dir, 'n.yaml')).failing('b')).toMatchObject({ code: 'SECRET_EMPTY' });
    expect(await open(join(dir, 'no.yaml')).failing('b')).toMatchObject({
      code: 'BACKEND_FILE',
      seen: expect.stringContaining('cannot be read (ENOENT)'),
    });
    expect(await open(join(dir, 'x.toml')).failing('b')).toMatchObject({ code: 'BACKEND_FILE' });
  });

  it('is not waited for: a FIFO is no file', async () => {
    const dir = folder();
    execFileSync('mkfifo', [join(dir, 's.yaml')]);
    expect((await open(join(dir, 's.yaml')).failing('a')).seen).toContain('not a file');
  });

  it('is not UTF-8', async () => {
    const path = join(folder({ 's.yaml': Buffer.from([0x61, 0x3a, 0x20, 0xff]) }), 's.yaml');
    expect((await open(path).failing('a')).seen).toContain('not UTF-8 text');
  });
});

describe('a version', () => {
  it('changes with the value alone: a touched file is unchanged', async () => {
    const path = join(folder({ 's.yaml': 'a: 1\nb: 1\n' }), 's.yaml');
    const { backend, fetch } = open(path);
    const first = await fetch('a');
    expect(first.life).toEqual({ kind: 'none' });
    utimesSync(path, new Date(), new Date(Date.now() + 5000));
    expect(await backend.source.fetch(want('a'), first, never)).toEqual({ state: 'unchanged', life: { kind: 'none' } });
    writeFileSync(path, 'a: 2\nb: 1\n');
    const second = await fetch('a', first);
    writeFileSync(path, 'a: 3\nb: 1\n');
    const third = await fetch('a', second);
    expect(new Set([first.version, second.version, third.version]).size).toBe(3);
    expect(third.version).toMatch(/^\d{4}-\d\d-\d\dT/);
  });
});

it('a file is parsed once for all wants of a pass', async () => {
  const text = Array.from({ length: 3000 }, (_, i) => `k${i}: { user: u${i}, password: p${i} }`).join('\n');
  const { fetch } = open(join(folder({ 's.yaml': text }), 's.yaml'));
  const startedMs = performance.now();
  await fetch('k0');
  const onceMs = performance.now() - startedMs;
  const restMs = performance.now();
  await Promise.all(Array.from({ length: 3000 }, (_, i) => fetch(`k${i}`)));
  expect(performance.now() - restMs).toBeLessThan(Math.max(5_000, onceMs * 100));
});

it('a cancelled fetch ends with CANCELLED', async () => {
  const { backend } = open(join(folder({ 's.yaml': 'a: 1' }), 's.yaml'));
  const fetching = backend.source.fetch(want('a'), undefined, AbortSignal.abort());
  await expect(fetching).rejects.toMatchObject({ failure: { code: 'CANCELLED' } });
});
