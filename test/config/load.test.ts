import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import * as yaml from 'yaml';
import { BACKEND_KINDS, SCHEMA_TABLES } from '../../src/backend/registry.ts';
import { formatPosition } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BAO, briefly, FIXTURES, loadFixture, loadText, loadWith, makeFolder, problemsOf } from './config.helpers.ts';

describe('a whole configuration', () => {
  it('gets defaults, milliseconds and absolute paths', async () => {
    const config = await loadFixture('whole.yaml');
    expect(config.backends.get('bao')).toEqual({
      kind: 'vault',
      name: 'bao',
      address: 'https://openbao.security.svc:8200',
      namespace: 'team-a',
      tls: { caFile: '/etc/bao/ca.pem', skipVerify: false },
      timeoutMs: 10_000,
      auth: {
        method: 'kubernetes',
        mount: 'kubernetes',
        role: 'shop',
        tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
        revokeOnExit: false,
      },
    });
    expect(config.backends.get('demo')).toEqual({ kind: 'file', name: 'demo', path: join(FIXTURES, 'secrets.yaml') });
    expect(config.secrets.get('db')).toEqual({
      name: 'db',
      backend: 'bao',
      place: 'secrets.db.read',
      optional: true,
      refreshMs: 300_000,
      maxStaleMs: 86_400_000,
      request: { kind: 'vault-read', path: 'database/creds/shop' },
    });
    expect(config.secrets.get('tls')?.request).toEqual({
      kind: 'vault-certificate',
      issuer: 'pki',
      role: 'shop',
      commonName: 'shop.svc',
      altNames: [],
      ipSans: [],
      uriSans: [],
      ttl: '86400s',
    });
    const shop = config.outputs.get('shop');
    expect(shop).toMatchObject({ dir: '/run/secrets/shop', mode: 0o440, quietMs: 10, maxWaitMs: 1000 });
    expect(shop).toMatchObject({ requireTmpfs: false, reloadOnFirst: false });
    expect(shop?.files.get('key.bin')?.content).toEqual({ kind: 'format', format: 'raw', from: [['app', 'key']] });
    expect(shop?.files.get('app.conf')?.content).toEqual({ kind: 'template', path: join(FIXTURES, 'app.conf.hbs') });
    expect(shop?.reload).toEqual([
      { kind: 'signal', name: 'SIGHUP', pidFile: '/run/shop.pid', place: 'outputs.shop.reload[0]' },
      {
        kind: 'command',
        argv: [join(FIXTURES, 'on-change')],
        captureOutput: false,
        timeoutMs: 30_000,
        place: 'outputs.shop.reload[1]',
      },
    ]);
    expect(config.log).toEqual({ level: 'info', format: 'json', schema: 'pannier' });
    expect(config.warnings).toEqual([]);
    expect(config.files).toEqual([join(FIXTURES, 'whole.yaml')]);
  });

  it('has trust bundles, whose overlap is a day unless it is given', async () => {
    const secrets = { a: { trustBundle: { issuer: '/pki/' } }, b: { trustBundle: { issuer: 'pki', overlap: '0s' } } };
    const config = await loadWith({ backends: { bao: BAO }, secrets });
    const request = { kind: 'vault-trust-bundle', issuer: 'pki' };
    expect(config.secrets.get('a')?.request).toEqual({ ...request, overlapMs: 86_400_000 });
    expect(config.secrets.get('b')?.request).toEqual({ ...request, overlapMs: 0 });
  });

  it('is frozen all the way down', async () => {
    const config = await loadFixture('whole.yaml');
    const loose: string[] = [];
    const walk = (value: unknown, place: string): void => {
      if (typeof value !== 'object' || value === null || value instanceof Secret) return;
      if (!Object.isFrozen(value)) loose.push(place);
      const below = value instanceof Map ? value : Object.entries(value);
      for (const [key, item] of below) walk(item, `${place}.${key}`);
    };
    walk(config, 'config');
    expect(loose).toEqual([]);
  });

  it('is the same in JSON', async () => {
    const parts = { secrets: { app: { kv: 'secret/app' } }, log: { level: 'debug' } };
    const folder = makeFolder({
      'a.json': JSON.stringify({ version: 1, backends: { bao: BAO }, ...parts }, null, 2),
      'a.yaml': JSON.stringify({ version: 1, backends: { bao: BAO }, ...parts }),
    });
    const load = (name: string) => loadConfig({ kinds: BACKEND_KINDS, paths: [name], env: {}, cwd: folder });
    const { files: _, ...json } = await load('a.json');
    expect(await load('a.yaml')).toMatchObject(json);
  });

  it('can have anchors and aliases', async () => {
    const config = await loadFixture('anchors.yaml');
    expect(config.backends.get('two')).toMatchObject({ auth: { method: 'kubernetes', role: 'shop' } });
  });

  it.each(['bom-and-crlf.yaml'])('can have a byte order mark and CRLF (%s)', async (name) => {
    expect((await loadFixture(name)).log.level).toBe('debug');
  });

  it('can have a byte order mark and CRLF in JSON', async () => {
    const cwd = makeFolder({ 'a.json': '\ufeff{\r\n"version": 1,\r\n"log": {"level": "debug"}}\r\n' });
    expect((await loadConfig({ kinds: BACKEND_KINDS, paths: ['a.json'], env: {}, cwd })).log.level).toBe('debug');
  });

  it('treats empty sections as absent ones', async () => {
    const config = await loadText('version: 1\nbackends:\nsecrets:\noutputs:\nlog:\n');
    expect([config.secrets.size, config.outputs.size, config.log.level]).toEqual([0, 0, 'info']);
  });

  it('can use names of object members as names', async () => {
    const secrets = Object.fromEntries(
      ['constructor', 'toString', 'hasOwnProperty'].map((name) => [name, { kv: 'a/b' }]),
    );
    const config = await loadWith({ secrets });
    expect([...config.secrets.keys()]).toEqual(['constructor', 'toString', 'hasOwnProperty']);
  });
});

describe('files', () => {
  it('a directory stands for its *.yaml, *.yml and *.json, sorted, without hidden files and subdirectories', async () => {
    const config = await loadFixture('several');
    const names = ['10-base.yaml', '20-secrets.json', '30-outputs.yml'];
    expect(config.files).toEqual(names.map((name) => join(FIXTURES, 'several', name)));
    expect([...config.secrets.keys(), ...config.outputs.keys(), config.log.level]).toEqual(['app', 'shop', 'warn']);
    expect(config.outputs.get('shop')?.dir).toBe(join(FIXTURES, 'several/out'));
  });

  it('PANNIER_CONFIG is a list separated by colons, which is used when the command line gives no file', async () => {
    const env = { PANNIER_CONFIG: `several/10-base.yaml:${join(FIXTURES, 'several/20-secrets.json')}` };
    expect((await loadConfig({ kinds: BACKEND_KINDS, paths: [], env, cwd: FIXTURES })).files).toHaveLength(2);
    expect(
      (await loadConfig({ kinds: BACKEND_KINDS, paths: ['anchors.yaml'], env, cwd: FIXTURES })).files,
    ).toHaveLength(1);
  });

  describe('without any file named', () => {
    const load = (cwd: string) => loadConfig({ kinds: BACKEND_KINDS, paths: [], env: {}, cwd });

    it('pannier.yaml of the working directory is the configuration', async () => {
      const cwd = makeFolder({ 'pannier.yaml': 'version: 1\nlog: { level: warn }\n', 'other.yaml': 'not read' });
      expect(await load(cwd)).toMatchObject({ files: [join(cwd, 'pannier.yaml')], log: { level: 'warn' } });
      await expect(
        problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: ['other.yaml'], env: {}, cwd })),
      ).resolves.toEqual([expect.objectContaining({ code: 'CONFIG_MALFORMED' })]);
    });

    it.each(['pannier.yml', 'pannier.json'])('%s is mentioned, and not read', async (name) => {
      const cwd = makeFolder({ [name]: 'version: 1\n' });
      expect(await problemsOf(load(cwd))).toMatchObject([
        {
          code: 'CONFIG_MISSING',
          seen: `no configuration file was given; there is ${name} here, but only pannier.yaml is read by itself`,
          hint: `Give -c ${name}, or rename it to pannier.yaml.`,
        },
      ]);
    });

    it('pannier.yaml is not used when another user may have written it', async () => {
      const cwd = makeFolder({ 'pannier.yaml': 'version: 1\n' });
      chmodSync(join(cwd, 'pannier.yaml'), 0o666);
      const problems = [
        expect.objectContaining({ code: 'CONFIG_MISSING', seen: expect.stringContaining('another user') }),
      ];
      expect(await problemsOf(load(cwd))).toEqual(problems);
      chmodSync(join(cwd, 'pannier.yaml'), 0o644);
      expect(await problemsOf(load(cwd))).toEqual([]);
      if (process.geteuid?.() === 0) {
        chownSync(join(cwd, 'pannier.yaml'), 1234, 1234);
        expect(await problemsOf(load(cwd))).toEqual(problems);
      }
    });
  });

  it('PANNIER_LOG_LEVEL wins over log.level, and must be a level', async () => {
    const text = 'version: 1\nlog: { level: warn, format: json }\n';
    expect((await loadText(text, { PANNIER_LOG_LEVEL: 'debug' })).log).toMatchObject({
      level: 'debug',
      format: 'json',
    });
    expect((await loadText('version: 1\n', { PANNIER_LOG_LEVEL: 'trace' })).log.level).toBe('trace');
    expect((await loadText(text, { PANNIER_LOG_LEVEL: '' })).log.level).toBe('warn');
    expect(await briefly(loadText(text, { PANNIER_LOG_LEVEL: 'loud' }))).toEqual(['CONFIG_INVALID PANNIER_LOG_LEVEL']);
  });

  it('an empty path is refused, and does not stand for the working directory', async () => {
    const cwd = makeFolder({ 'other.yaml': 'version: 1\n' });
    const loading = loadConfig({ kinds: BACKEND_KINDS, paths: [''], env: {}, cwd });
    expect(await problemsOf(loading)).toMatchObject([
      { code: 'CONFIG_MISSING', seen: 'the path of a configuration is empty', hint: 'Give -c a path.' },
    ]);
  });

  it('a file named twice is read once', async () => {
    const paths = ['several', 'several/10-base.yaml', join(FIXTURES, 'several/10-base.yaml')];
    expect((await loadConfig({ kinds: BACKEND_KINDS, paths, env: {}, cwd: FIXTURES })).files).toHaveLength(3);
  });

  it('a name or a section that two files define is reported with both places, together with every other problem', async () => {
    const problems = await problemsOf(loadFixture('bad-twice-across'));
    expect(
      problems.map(({ code, place, at, seen }) => `${code} ${at && formatPosition(at)} ${place}: ${seen}`),
    ).toEqual([
      'CONFIG_DUPLICATE bad-twice-across/b.yaml:3:3 secrets.db: also defined at bad-twice-across/a.yaml:5:3',
      'CONFIG_DUPLICATE bad-twice-across/b.yaml:4:1 log: also defined at bad-twice-across/a.yaml:6:1',
      'CONFIG_UNKNOWN_SECRET bad-twice-across/b.yaml:6:61 outputs.shop.files.a.from: there is no secret named "dbb"; did you mean "db"?',
    ]);
  });

  it.each([
    ['bad-key-twice.yaml', { file: 'bad-key-twice.yaml', line: 6, column: 3 }, 'also defined in line 4'],
    ['bad-key-twice.json', { file: 'bad-key-twice.json', line: 5, column: 5 }, 'also defined in line 4'],
  ])('a key that is twice in one map of %s is reported with both lines', async (name, at, seen) => {
    expect(await problemsOf(loadFixture(name))).toContainEqual(
      expect.objectContaining({ code: 'CONFIG_DUPLICATE', place: 'secrets.app', at, seen }),
    );
  });

  it.each([
    ['missing.yaml', 'CONFIG_UNREADABLE missing.yaml', 'no such file'],
    ['empty.yaml', 'CONFIG_MISSING version', 'version is absent'],
    ['bad-list.yaml', 'CONFIG_MALFORMED bad-list.yaml', 'does not hold a map'],
    ['bad-two-documents.yaml', 'CONFIG_MALFORMED bad-two-documents.yaml:3:1', 'several documents'],
    ['bad-syntax.json', 'CONFIG_MALFORMED bad-syntax.json:3:21', 'unexpected character'],
    ['bad-syntax-quote.yaml', 'CONFIG_MALFORMED bad-syntax-quote.yaml:', 'a character is missing'],
    ['bad-not-utf8.yaml', 'CONFIG_UNREADABLE bad-not-utf8.yaml', 'not UTF-8 text'],
    ['several/nested/..', 'nothing', ''],
  ])('%s is %s', async (name, brief, seen) => {
    const [problem] = await problemsOf(loadFixture(name));
    expect(problem === undefined ? 'nothing' : `${problem.code} ${problem.place}`).toContain(brief);
    expect(problem?.seen ?? '').toContain(seen);
  });

  it('without any file, the message says how to give one', async () => {
    const [problem] = await problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: [], env: {}, cwd: FIXTURES }));
    expect(problem).toMatchObject({ code: 'CONFIG_MISSING', hint: expect.stringContaining('PANNIER_CONFIG') });
  });

  it('for an empty directory, the message says which files it should hold', async () => {
    expect(await briefly(loadConfig({ kinds: BACKEND_KINDS, paths: ['.'], env: {}, cwd: makeFolder() }))).toEqual([
      'CONFIG_MISSING .',
    ]);
  });

  it('a file larger than 32 MiB is refused with its size, the limit and what to do, a device too', async () => {
    const cwd = makeFolder({ 'big.yaml': `version: 1\n#${'x'.repeat(32 * 2 ** 20)}\n` });
    const [big, device] = await problemsOf(
      loadConfig({ kinds: BACKEND_KINDS, paths: ['big.yaml', '/dev/zero'], env: {}, cwd }),
    );
    expect([big?.seen, device?.seen]).toEqual([
      'it has 33554445 bytes; the limit is 32 MiB',
      'it has more than 32 MiB, the limit',
    ]);
    expect(big?.hint).toBe('Split it into several files: -c can be repeated, and can name a directory.');
  });

  it('ten thousand secrets in one file of more than 1 MiB are taken', async () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `secret_${at}`);
    const config = {
      version: 1,
      backends: { bao: { kind: 'vault', address: 'http://127.0.0.1:1', auth: { method: 'token', tokenFile: '/t' } } },
      secrets: Object.fromEntries(
        names.map((name) => [name, { kv: `secret/team/application/${name}`, refresh: '1h' }]),
      ),
      outputs: {
        all: {
          dir: '/run/x',
          files: Object.fromEntries(names.map((name) => [name, { content: `{{${name}.value}}` }])),
        },
      },
    };
    const text = JSON.stringify(config);
    expect(text.length).toBeGreaterThan(2 ** 20);
    const cwd = makeFolder({ 'all.json': text });
    const loaded = await loadConfig({ kinds: BACKEND_KINDS, paths: ['all.json'], env: {}, cwd });
    expect(loaded.secrets.size).toBe(10_000);
    expect(loaded.outputs.get('all')?.files.size).toBe(10_000);
  });

  it('a file of a reference may have 1 MiB', async () => {
    const cwd = makeFolder({
      'c.yaml': 'version: 1\nlog: { level: "${file:./long}" }\n',
      long: 'x'.repeat(2 ** 20 + 1),
    });
    const [long] = await problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: ['c.yaml'], env: {}, cwd }));
    expect(long?.seen).toBe('the file of the reference: it has 1048577 bytes; the limit is 1 MiB');
  });

  it('names that a broken file would have defined are not reported as unknown', async () => {
    const broken = 'version: 1\nsecrets: { db: { kv: a/b }\n';
    const cwd = makeFolder({
      'a.yaml': broken,
      'b.yaml': 'outputs: { x: { dir: x, files: { f: { format: json, from: db } } } }',
    });
    const briefs = await briefly(loadConfig({ kinds: BACKEND_KINDS, paths: ['.'], env: {}, cwd }));
    expect(briefs).toHaveLength(1);
    expect(briefs[0]).toContain('CONFIG_MALFORMED a.yaml:');
  });
});

describe('hostile files', () => {
  it.each([
    ['an alias that holds itself', 'version: 1\nsecrets: &a { app: *a }\n'],
    ['deep nesting', `version: 1\nlog: ${'['.repeat(5000)}${']'.repeat(5000)}\n`],
    ['deep nesting in JSON', `{"version": 1, "log": ${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['an unknown tag', 'version: 1\nlog: !!js/function "x"\n'],
    ['a map as a key', 'version: 1\nlog: { level: {{x}} }\n'],
    [
      'aliases that multiply',
      `version: 1\nlog:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, i) => `  a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`).join('\n')}\n`,
    ],
  ])('%s is refused as malformed', async (_, text) => {
    expect(await briefly(loadText(text))).toContainEqual(expect.stringMatching(/^CONFIG_MALFORMED /));
  });

  it.each([
    ['lists in YAML', `log: ${'['.repeat(100_000)}`],
    ['lists in lines', `log:\n${'- '.repeat(50_000)}x\n`],
    ['keys', '? '.repeat(50_000)],
    ['maps in YAML', `log: ${'{a: '.repeat(50_000)}`],
    ['maps in lines', Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    ['lists in JSON', `{"log": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['maps in JSON', `{"log": ${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`],
  ])('%s in each other without end are one problem, with its place', async (_, text) => {
    const problems = await problemsOf(loadText(text));
    expect(problems).toMatchObject([{ code: 'CONFIG_MALFORMED', seen: expect.stringMatching(/nested too deep$/) }]);
    expect(problems[0]?.place).toMatch(/:\d+:\d+$/);
  });

  it.each([
    ['keys that are there before', 'a: b\n'.repeat(5000)],
    ['syntax errors', '*a\n'.repeat(5000)],
  ])('of thousands of %s the first fifty are told', async (_, text) => {
    expect((await problemsOf(loadText(text))).length).toBeLessThan(60);
  });

  it.each([
    ['brackets', ']\n'],
    ['escapes', '- "\\q"\n'],
    ['tags', '- !x 1\n'],
    ['aliases', '- *a\n'],
  ])(
    'of thousands of wrong %s the first fifty are told with their places, and that there are more',
    async (_, line) => {
      const problems = await problemsOf(loadText(line.repeat(5000)));
      expect(problems).toHaveLength(51);
      expect(problems[0]).toMatchObject({ code: 'CONFIG_MALFORMED', place: expect.stringMatching(/:[12]:\d+$/) });
      expect(problems[49]?.seen).not.toContain('more');
      expect(problems[50]?.seen).toBe(
        'not YAML: there is more from here on, which is told when what stands before it is mended',
      );
    },
  );

  it.each([
    ['with a syntax error', 'version: 1\nsecrets: [\n'],
    ['with other problems', 'version: 1\nsecrets: { a: { kv: 1 } }\n'],
  ])('a text of YAML %s is parsed once', async (_, text) => {
    using composed = vi.spyOn(yaml.Composer.prototype, 'compose');
    const cwd = makeFolder({ 'shop.yaml': text });
    const options = { kinds: BACKEND_KINDS, tables: SCHEMA_TABLES, paths: ['shop.yaml'], env: {}, cwd };
    expect(await problemsOf(loadConfig(options))).not.toEqual([]);
    expect(composed).toHaveBeenCalledTimes(1);
  });

  it('aliases that make a file too large are told at the one that does, and aliases of a usual sort are not', async () => {
    const many = (count: number) =>
      `version: 1\nlog:\n  a: &a [${Array(1_000).fill('x').join()}]\n  b: [${Array(count).fill('*a').join()}]\n`;
    const seen = async (count: number) => (await problemsOf(loadText(many(count)))).map((one) => one.seen);
    expect(await seen(100)).toContainEqual(expect.stringContaining('aliases make the file too large'));
    expect(await seen(99)).not.toContainEqual(expect.stringContaining('too large'));
  });

  it.each(['secrets: { __proto__: { kv: a/b } }', '{"version": 1, "secrets": {"__proto__": {"kv": "a/b"}}}'])(
    'the name __proto__ is refused (%s)',
    async (text) => {
      const problems = await problemsOf(loadText(text));
      expect(problems[0]).toMatchObject({ code: 'CONFIG_INVALID', place: 'secrets' });
      expect(({} as Record<string, unknown>)['kv']).toBeUndefined();
    },
  );

  it('a number can be the name of a file, and not that of a secret', async () => {
    const text = `version: 1
backends: { demo: { kind: file, path: x } }
secrets: { a: { key: x }, 1: { key: y }, 2.5: { key: z } }
outputs: { o: { dir: o, files: { 8080: { format: json, from: a } } } }`;
    const problems = await briefly(loadText(text));
    expect(problems).toEqual(['CONFIG_INVALID secrets["1"]', 'CONFIG_INVALID secrets["2.5"]']);
  });

  it('a merge key is explained', async () => {
    const text = 'version: 1\nlog:\n  <<: { level: debug }\n';
    expect((await problemsOf(loadText(text)))[0]?.seen).toContain('not part of YAML 1.2');
  });
});

describe('cost', () => {
  it('a JSON configuration loads no YAML parser', () => {
    const source = readFileSync('src/config/load.ts', 'utf8');
    expect(source).not.toMatch(/^import .*parse-yaml/m);
    expect(source).toContain("await import('./load/parse-yaml.ts')");
  });

  it('ten thousand misspelt secrets do not take quadratic time', async () => {
    const makeText = (count: number) => {
      const names = Array.from({ length: count }, (_, i) => `secret${i}`);
      const secrets = Object.fromEntries(names.map((name) => [name, { kv: `secret/${name}` }]));
      const files = { f: { format: 'json', from: names.map((name) => `${name}x`) } };
      return JSON.stringify({ version: 1, backends: { bao: BAO }, secrets, outputs: { o: { dir: 'o', files } } });
    };
    const measure = async (count: number) => {
      const cwd = makeFolder({ 'a.json': makeText(count) });
      return await cpuMs(async () => {
        expect(await problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: ['a.json'], env: {}, cwd }))).toHaveLength(
          count,
        );
      });
    };
    await measure(1000);
    // Ten times as many names may take about ten times as long; quadratic time would be a hundred times.
    expect(await measure(10_000)).toBeLessThan(50 * Math.max(20, await measure(1000)));
  });

  it('ten thousand secrets in YAML do not take quadratic time', async () => {
    const measure = async (count: number) => {
      const lines = Array.from({ length: count }, (_, i) => `  s${i}: { kv: secret/s${i} }`);
      const text = `version: 1\nbackends: { bao: ${JSON.stringify(BAO)} }\nsecrets:\n${lines.join('\n')}\n`;
      return await cpuMs(async () => expect((await loadText(text)).secrets.size).toBe(count));
    };
    await measure(1000);
    expect(await measure(10_000)).toBeLessThan(50 * Math.max(20, await measure(1000)));
  });
});

/** The CPU time of this process, which does not depend on other processes of the machine. */
async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
