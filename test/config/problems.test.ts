import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { codeTable } from '../../src/base/codes.ts';
import type { ProblemsError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BAO, briefly, loadFixture, loadText, loadWith, makeFolder, problemsOf } from './config.helpers.ts';

const secrets = { app: { kv: 'secret/app' } };
const withFile = (file: object, name = 'f') => ({ secrets, outputs: { o: { dir: 'o', files: { [name]: file } } } });
const withOutput = (output: object) => ({ secrets, outputs: { o: { dir: 'o', files: {}, ...output } } });
const withBackend = (backend: object) => ({ backends: { bao: { ...BAO, ...backend } } });
const withAuth = (auth: object) => withBackend({ auth });

describe('problems', () => {
  it('of one configuration are all reported at once', async () => {
    expect(await briefly(loadFixture('bad-everything.yaml'))).toEqual([
      'CONFIG_UNKNOWN_KEY backnds',
      'CONFIG_INVALID backends.misspelt-kind.kind',
      'CONFIG_MISSING backends.no-kind.kind',
      'CONFIG_INVALID backends.empty',
      'CONFIG_INVALID backends.aws.region',
      'CONFIG_INVALID backends.later-auth.address',
      'CONFIG_INVALID backends.bao.timeout',
      'CONFIG_UNKNOWN_KEY backends.bao.auth.tokn',
      'CONFIG_INVALID secrets.two-ways',
      'CONFIG_INVALID secrets.both-versions.stage',
      'CONFIG_MISSING secrets.no-way',
      'CONFIG_INVALID secrets.not-a-map',
      'CONFIG_INVALID outputs.shop.mode',
      'CONFIG_INVALID outputs.shop.files["../escape"]',
      'CONFIG_UNKNOWN_SECRET outputs.shop.files["app.env"].from[0]',
      'CONFIG_UNKNOWN_SECRET outputs.shop.files["app.env"].from[1]',
      'CONFIG_INVALID outputs.shop.files["app.yaml"].prefix',
      'CONFIG_INVALID outputs.shop.reload[0].signal.name',
      'CONFIG_INVALID outputs.shop.check.command.argv',
      'CONFIG_SAME_DIR outputs.inner.dir',
      'CONFIG_MISSING outputs.shop.reload[1].signal.child',
      'CONFIG_MISSING api.listeners',
      'CONFIG_INVALID log.level',
    ]);
  });

  it('all have exit status 2', () => {
    const statuses = Object.entries(codeTable())
      .filter(([code]) => code.startsWith('CONFIG_'))
      .map(([, { exit }]) => exit);
    expect(new Set(statuses)).toEqual(new Set([2]));
  });

  it('secret-looking values in wrong places are in no message', async () => {
    const problems = await problemsOf(loadFixture('bad-canary.yaml', { CANARY: 's3cr3t-canary-env' }));
    expect(problems.length).toBeGreaterThan(40);
    expect(JSON.stringify(problems)).not.toMatch(/s3cr3t|20202020/);
  });

  it.each(['bad-syntax-quote.yaml', 'bad-syntax.json'])(
    'a syntax error shows nothing of the file (%s)',
    async (name) => {
      const problems = await problemsOf(loadFixture(name));
      expect(problems).not.toEqual([]);
      expect(JSON.stringify(problems)).not.toContain('s3cr3t');
    },
  );
});

describe('hints', () => {
  it.each<[string, string, RegExp]>([
    [
      'an unquoted mode',
      'outputs: { o: { dir: o, mode: 0400, files: {} } }',
      /number 400.*unquoted 0400 is the decimal/,
    ],
    ['a bare number of seconds', 'secrets: { a: { kv: a/b, refresh: 30 } }', /number 30;.*write 30s for seconds/],
    ['a number in quotes', 'secrets: { a: { kv: a/b, refresh: "30" } }', /"30";.*write 30s for seconds/],
    ['a duration of zero', 'secrets: { a: { kv: a/b, refresh: 0s } }', /longer than zero/],
    ['a duration with a space', 'secrets: { a: { kv: a/b, refresh: 5 m } }', /"5 m"; a duration/],
    ['a yes', 'secrets: { a: { kv: a/b, optional: yes } }', /knows only true and false/],
    ['a number for text', 'secrets: { a: { kv: 123 } }', /a number; text is expected.*quotes/],
    ['a misspelt key', 'secrets: { a: { kv: a/b, refesh: 5m } }', /did you mean "refresh"\?/],
    ['a misspelt section', 'secrts: {}', /did you mean "secrets"\?/],
    ['a misspelt choice', 'log: { level: wran }', /one of trace, .* is expected; did you mean "warn"\?/],
    ['a forgotten space', 'log: {level:info}', /space after each colon/],
    [
      'a misspelt signal',
      'outputs: { o: { dir: o, files: {}, reload: [ { signal: { name: HPU, pidFile: p } } ] } }',
      /did you mean "SIGHUP"\?/,
    ],
    [
      'a misspelt source',
      'outputs: { o: { dir: o, files: { f: { format: json, from: ap } } } }\nsecrets: { app: { kv: a/b } }',
      /there is no secret named "ap"; did you mean "app"\?/,
    ],
    [
      'a misspelt backend',
      'secrets: { a: { backend: boa, kv: a/b } }',
      /there is no backend named "boa"; did you mean "bao"\? Configured: bao\./,
    ],
    [
      'a misspelt backend of the proxy',
      'proxy: { socket: s, backend: boa }',
      /there is no backend named "boa"; did you mean "bao"\? Configured: bao\./,
    ],
    [
      'a misspelt builtin template',
      'outputs: { o: { dir: o, files: { f: { template: "builtin:jsn" } } } }',
      /there is no builtin template named "jsn"; did you mean "json"\?/,
    ],
    ['another version', 'version: 2', /number 2; 1 is the only version/],
    ['a version in quotes', 'version: "1"', /1 is the only version .*Drop the quotes\./],
  ])('%s is explained', async (_, text, wanted) => {
    const whole = `${text.startsWith('version') ? '' : 'version: 1\n'}backends: { bao: ${JSON.stringify(BAO)} }\n${text}\n`;
    const problems = await problemsOf(loadText(whole));
    expect(problems.map(({ seen, hint }) => `${seen} ${hint}`)).toEqual([expect.stringMatching(wanted)]);
  });
});

describe('a name that does not exist', () => {
  it('is not shown when a reference gave it, nor when it does not look like a name', async () => {
    const text = (backend: string) =>
      `version: 1\nbackends: { bao: ${JSON.stringify(BAO)} }\nsecrets: { a: { backend: ${backend}, kv: a/b } }\n`;
    const filled = await problemsOf(loadText(text('"${env:BACKEND}"'), { BACKEND: 'hunter2' }));
    expect(filled.map(({ seen }) => seen)).toEqual(['there is no backend with the name that the reference gave']);
    const uuid = await problemsOf(loadText(text('d9428888-122b-11e1-b85c-61cd3cbb3210')));
    expect(uuid.map(({ seen }) => seen)).toEqual(['there is no backend with the name that is written there']);
  });
});

describe('checks and verifications', () => {
  it.each<[string, object, string]>([
    ['a check of nothing', { check: {} }, 'CONFIG_MISSING outputs.o.check.command'],
    ['an empty program', { check: { command: { argv: [''] } } }, 'CONFIG_INVALID outputs.o.check.command.argv[0]'],
    ['nothing to ask', { verify: { within: '5s' } }, 'CONFIG_MISSING outputs.o.verify'],
    [
      'two things to ask',
      { verify: { http: { url: 'http://x' }, command: { argv: ['x'] } } },
      'CONFIG_INVALID outputs.o.verify',
    ],
    [
      'no time to ask',
      { verify: { http: { url: 'http://x' }, within: '0s' } },
      'CONFIG_INVALID outputs.o.verify.within',
    ],
  ])('%s is refused', async (_, given, wanted) => {
    expect(await briefly(loadWith(withOutput(given)))).toEqual([wanted]);
  });
});

describe('backends', () => {
  it.each<[string, object, string]>([
    ['no address', { backends: { bao: { kind: 'vault', auth: BAO.auth } } }, 'CONFIG_MISSING backends.bao.address'],
    ['no login', { backends: { bao: { kind: 'vault', address: 'http://x' } } }, 'CONFIG_MISSING backends.bao.auth'],
    ['no method', withAuth({ role: 'x' }), 'CONFIG_MISSING backends.bao.auth.method'],
    ['kubernetes without a role', withAuth({ method: 'kubernetes' }), 'CONFIG_MISSING backends.bao.auth.role'],
    [
      'a token and its file',
      withAuth({ method: 'token', token: 'x', tokenFile: 'y' }),
      'CONFIG_INVALID backends.bao.auth',
    ],
    ['jwt without a role', withAuth({ method: 'jwt', tokenFile: 'x' }), 'CONFIG_MISSING backends.bao.auth.role'],
    ['jwt without a file', withAuth({ method: 'jwt', role: 'x' }), 'CONFIG_MISSING backends.bao.auth.tokenFile'],
    [
      'cert without a pair',
      withBackend({ address: 'https://x', auth: { method: 'cert' } }),
      'CONFIG_MISSING backends.bao.tls.certFile',
    ],
    [
      'cert without TLS',
      withBackend({ address: 'http://x', tls: { certFile: 'x', keyFile: 'y' }, auth: { method: 'cert' } }),
      'CONFIG_INVALID backends.bao.address',
    ],
    [
      'ldap without a user',
      withAuth({ method: 'ldap', passwordFile: 'x' }),
      'CONFIG_MISSING backends.bao.auth.username',
    ],
    [
      'userpass without a file',
      withAuth({ method: 'userpass', username: 'x' }),
      'CONFIG_MISSING backends.bao.auth.passwordFile',
    ],
    [
      'a password in the configuration',
      withAuth({ method: 'userpass', username: 'x', passwordFile: 'y', password: 'z' }),
      'CONFIG_UNKNOWN_KEY backends.bao.auth.password',
    ],
    ...['', '..', 'a/../b', '/a', 'a//b', 'a\0'].map((username): [string, object, string] => [
      `the user ${JSON.stringify(username)}`,
      withAuth({ method: 'userpass', username, passwordFile: 'x' }),
      'CONFIG_INVALID backends.bao.auth.username',
    ]),
    ['no token', withAuth({ method: 'token' }), 'CONFIG_MISSING backends.bao.auth.token'],
    ['a token with a space', withAuth({ method: 'token', token: 'x y' }), 'CONFIG_INVALID backends.bao.auth.token'],
    ['an approle without an id', withAuth({ method: 'approle' }), 'CONFIG_MISSING backends.bao.auth'],
    ...['secretIdWrapped', 'removeSecretIdFile'].flatMap((key): [string, object, string][] => [
      [
        `${key} without a file`,
        withAuth({ method: 'approle', roleId: 'x', [key]: true }),
        'CONFIG_MISSING backends.bao.auth.secretIdFile',
      ],
      [
        `${key} that is no boolean`,
        withAuth({ method: 'approle', roleId: 'x', secretIdFile: 'y', [key]: 'yes' }),
        `CONFIG_INVALID backends.bao.auth.${key}`,
      ],
    ]),
    ['two role ids', withAuth({ method: 'approle', roleId: 'x', roleIdFile: 'y' }), 'CONFIG_INVALID backends.bao.auth'],
    ['half a key pair', withBackend({ tls: { certFile: 'x' } }), 'CONFIG_MISSING backends.bao.tls.keyFile'],
    ['a key of another kind', withBackend({ path: 'x' }), 'CONFIG_UNKNOWN_KEY backends.bao.path'],
    ['a name with a slash', { backends: { 'a/b': { kind: 'file', path: 'x' } } }, 'CONFIG_INVALID backends["a/b"]'],
  ])('%s is a problem', async (_, given, brief) => {
    expect(await briefly(loadWith(given))).toEqual([brief]);
  });

  it.each([
    ['https://openbao:8200/', 'https://openbao:8200'],
    ['HTTP://OpenBao:80', 'http://openbao'],
    ['https://[::1]:8200', 'https://[::1]:8200'],
    ['https://gate/vault/', 'https://gate/vault'],
    ['unix:///run/bao.sock', 'unix:///run/bao.sock'],
  ])('the address %s becomes %s', async (address, wanted) => {
    const config = await loadWith(withBackend({ address }));
    expect(config.backends.get('bao')).toMatchObject({ address: wanted });
  });

  it.each(['openbao:8200', 'ftp://x', 'https://', 'https://u:p@x', 'http://x?y', 'http://x#y', 'unix://x', 'http:x'])(
    'the address %s is refused',
    async (address) => {
      expect(await briefly(loadWith(withBackend({ address })))).toEqual(['CONFIG_INVALID backends.bao.address']);
    },
  );
});

describe('secrets', () => {
  const demo = { bao: BAO, demo: { kind: 'file', path: 'x' } };
  it.each<[string, object, string]>([
    ['two ways', { secrets: { a: { kv: 'x', read: 'y' } } }, 'CONFIG_INVALID secrets.a'],
    ['no way', { secrets: { a: { refresh: '5m' } } }, 'CONFIG_MISSING secrets.a'],
    ['no backend of several', { backends: demo, secrets: { a: { kv: 'x' } } }, 'CONFIG_MISSING secrets.a.backend'],
    ['an unknown backend', { secrets: { a: { backend: 'boa', kv: 'x' } } }, 'CONFIG_UNKNOWN_BACKEND secrets.a.backend'],
    ['no backend at all', { backends: {}, secrets: { a: { kv: 'x' }, b: { kv: 'y' } } }, 'CONFIG_MISSING backends'],
    ['kv of a file', { backends: demo, secrets: { a: { backend: 'demo', kv: 'x' } } }, 'CONFIG_INVALID secrets.a.kv'],
    ['a key of vault', { secrets: { a: { key: 'x' } } }, 'CONFIG_INVALID secrets.a.key'],
    [
      'a trust bundle of nothing',
      { secrets: { a: { trustBundle: {} } } },
      'CONFIG_MISSING secrets.a.trustBundle.issuer',
    ],
    [
      'an overlap without a unit',
      { secrets: { a: { trustBundle: { issuer: 'pki', overlap: 24 } } } },
      'CONFIG_INVALID secrets.a.trustBundle.overlap',
    ],
    ['a version without kv', { secrets: { a: { read: 'x', version: 1 } } }, 'CONFIG_INVALID secrets.a.version'],
    [
      'a version of KV 1',
      { secrets: { a: { kv: 'x', version: 1, kvVersion: 1 } } },
      'CONFIG_INVALID secrets.a.version',
    ],
    ['KV version 3', { secrets: { a: { kv: 'x', kvVersion: 3 } } }, 'CONFIG_INVALID secrets.a.kvVersion'],
    ['an end of a kv secret', { secrets: { a: { kv: 'x', end: 'until' } } }, 'CONFIG_INVALID secrets.a.end'],
    ['an end without a field', { secrets: { a: { read: 'x', end: { unit: 's' } } } }, 'CONFIG_INVALID secrets.a.end'],
    [
      'an end in another unit',
      { secrets: { a: { read: 'x', end: { field: 'until', unit: 'days' } } } },
      'CONFIG_INVALID secrets.a.end',
    ],
    ['a path with ..', { secrets: { a: { read: 'secret/../sys' } } }, 'CONFIG_INVALID secrets.a.read'],
    ['an empty path', { secrets: { a: { read: '' } } }, 'CONFIG_INVALID secrets.a.read'],
    ['a NUL', { secrets: { a: { kv: 'a\0b' } } }, 'CONFIG_INVALID secrets.a.kv'],
    ['a name with a dot', { secrets: { 'a.b': { kv: 'x' } } }, 'CONFIG_INVALID secrets["a.b"]'],
    [
      'half a certificate',
      { secrets: { a: { certificate: { issuer: 'pki', role: 'x' } } } },
      'CONFIG_MISSING secrets.a.certificate.commonName',
    ],
    [
      'a ttl below a second',
      { secrets: { a: { certificate: { issuer: 'pki', role: 'x', commonName: 'y', ttl: '5ms' } } } },
      'CONFIG_INVALID secrets.a.certificate.ttl',
    ],
  ])('%s is a problem', async (_, given, brief) => {
    expect(await briefly(loadWith(given))).toEqual([brief]);
  });

  it('a text in the place of a map says which keys there are, or where to read of them', async () => {
    const hints = async (given: object) => (await problemsOf(loadWith(given))).map(({ hint }) => hint);
    expect(await hints({ secrets: { a: { write: 'pki/issue/shop' } } })).toEqual([
      'Write it as write: { path: … }. pannier explain secrets.a.write shows its keys.',
    ]);
    expect(await hints({ api: 'x.sock' })).toEqual(['pannier explain api shows its keys.']);
  });

  it('a directory without a configuration is told with what to do', async () => {
    const folder = makeFolder();
    const loading = loadConfig({ kinds: BACKEND_KINDS, paths: ['.'], env: {}, cwd: folder });
    const [problem] = await problemsOf(loading);
    expect(problem).toMatchObject({ code: 'CONFIG_MISSING', hint: expect.stringContaining('Name the directory') });
  });

  it('the end of a secret is a field of the answer to a read or a write, with or without a unit', async () => {
    const config = await loadWith({
      secrets: {
        a: { read: 'x', end: 'until' },
        b: { write: { path: 'y' }, end: { field: 'left', unit: 'seconds' } },
        c: { read: 'z', end: { field: 'until' } },
      },
    });
    expect([...config.secrets.values()].map(({ request }) => request)).toEqual([
      { kind: 'vault-read', path: 'x', end: { field: 'until' } },
      { kind: 'vault-write', path: 'y', data: {}, end: { field: 'left', unit: 'seconds' } },
      { kind: 'vault-read', path: 'z', end: { field: 'until' } },
    ]);
  });

  it('slashes at the beginning and end of a path are ignored', async () => {
    const config = await loadWith({
      secrets: { a: { kv: '/secret/app/', mount: 'secret/', kvVersion: 2, version: 4 } },
    });
    expect(config.secrets.get('a')?.request).toEqual({
      kind: 'vault-kv',
      path: 'secret/app',
      mount: 'secret',
      kvVersion: 2,
      version: 4,
    });
  });
});

describe('outputs', () => {
  it.each<[string, string, string, string | undefined]>([
    ['the same directory', '/run/shop', '/run/shop/', 'CONFIG_SAME_DIR outputs.b.dir'],
    ['the same after ..', '/run/shop', '/run/x/../shop', 'CONFIG_SAME_DIR outputs.b.dir'],
    ['one inside another', '/run/shop', '/run/shop/tls', 'CONFIG_SAME_DIR outputs.b.dir'],
    ['one far inside another', '/run/shop/a/b/c', '/run/shop', 'CONFIG_SAME_DIR outputs.a.dir'],
    ['one that begins alike', '/run/shop', '/run/shopping', undefined],
  ])('%s: %s and %s', async (_, a, b, brief) => {
    const outputs = { a: { dir: a, files: {} }, b: { dir: b, files: {} } };
    expect(await briefly(loadWith({ outputs }))).toEqual(brief === undefined ? [] : [brief]);
  });

  it.each([
    '/abs',
    '..',
    '../x',
    'a/../b',
    '..data',
    'a/..b',
    './a',
    'a//b',
    'a/',
    '',
    'a\0b',
    'a\nb',
    'x'.repeat(256),
  ])('the file name %j is refused', async (name) => {
    const problems = await problemsOf(loadWith(withFile({ content: 'x' }, name)));
    expect(problems.map(({ code }) => code)).toEqual(['CONFIG_INVALID']);
  });

  it.each(['a', '.env', 'a/b/c.pem', 'ca..pem', 'with space', 'Schlüssel', '__x'])(
    'the file name %j is accepted',
    async (name) => {
      expect(await briefly(loadWith(withFile({ content: 'x' }, name)))).toEqual([]);
    },
  );

  it('a file cannot be another one’s directory', async () => {
    const files = { 'a/b/c': { content: 'x' }, a: { content: 'y' }, ab: { content: 'z' } };
    expect(await briefly(loadWith(withOutput({ files })))).toEqual(['CONFIG_INVALID outputs.o.files["a/b/c"]']);
  });

  it.each<[string, object, string]>([
    ['nothing', {}, 'CONFIG_MISSING outputs.o.files.f'],
    ['a template and content', { template: 'x', content: 'y' }, 'CONFIG_INVALID outputs.o.files.f'],
    ['content and format', { content: 'y', format: 'json', from: 'app' }, 'CONFIG_INVALID outputs.o.files.f'],
    ['from without format', { content: 'y', from: 'app' }, 'CONFIG_INVALID outputs.o.files.f.from'],
    ['prefix without format', { content: 'y', prefix: 'X' }, 'CONFIG_INVALID outputs.o.files.f.prefix'],
    ['flat without format', { template: 'y', flat: true }, 'CONFIG_INVALID outputs.o.files.f.flat'],
    ['flat dotenv', { format: 'dotenv', from: 'app', flat: true }, 'CONFIG_INVALID outputs.o.files.f.flat'],
    ['flat properties', { format: 'properties', from: 'app', flat: false }, 'CONFIG_INVALID outputs.o.files.f.flat'],
    ['for of json', { format: 'json', from: 'app', for: 'sh' }, 'CONFIG_INVALID outputs.o.files.f.for'],
    ['for without format', { template: 'y', for: 'sh' }, 'CONFIG_INVALID outputs.o.files.f.for'],
    ['an unknown for', { format: 'dotenv', from: 'app', for: 'ruby' }, 'CONFIG_INVALID outputs.o.files.f.for'],
    ['keys of raw', { format: 'raw', from: 'app.x', keys: 'identifier' }, 'CONFIG_INVALID outputs.o.files.f.keys'],
    ['flat raw', { format: 'raw', from: 'app', flat: true }, 'CONFIG_INVALID outputs.o.files.f.flat'],
    ['prefix of raw', { format: 'raw', from: 'app', prefix: 'X' }, 'CONFIG_INVALID outputs.o.files.f.prefix'],
    ['prefix of json', { format: 'json', from: 'app', prefix: 'X' }, 'CONFIG_INVALID outputs.o.files.f.prefix'],
    [
      'rename of yaml that is not flat',
      { format: 'yaml', from: 'app', flat: false, rename: { a: 'b' } },
      'CONFIG_INVALID outputs.o.files.f.rename',
    ],
    ['case of json', { format: 'json', from: 'app', case: 'upper' }, 'CONFIG_INVALID outputs.o.files.f.case'],
    ['another case', { format: 'dotenv', from: 'app', case: 'camel' }, 'CONFIG_INVALID outputs.o.files.f.case'],
    [
      'a rename to nothing',
      { format: 'properties', from: 'app', rename: { a: '' } },
      'CONFIG_INVALID outputs.o.files.f.rename.a',
    ],
    [
      'a rename to no variable',
      { format: 'dotenv', from: 'app', rename: { a: 'b-c' } },
      'CONFIG_INVALID outputs.o.files.f.rename.a',
    ],
    [
      'a prefix of no variable',
      { format: 'dotenv', from: 'app', prefix: '1_' },
      'CONFIG_INVALID outputs.o.files.f.prefix',
    ],
    ['a format of nothing', { format: 'json' }, 'CONFIG_MISSING outputs.o.files.f.from'],
    ['a format of an empty list', { format: 'json', from: [] }, 'CONFIG_MISSING outputs.o.files.f.from'],
    ['raw of two', { format: 'raw', from: ['app', 'app.x'] }, 'CONFIG_INVALID outputs.o.files.f.from'],
    ['a source without a field', { format: 'raw', from: 'app.' }, 'CONFIG_INVALID outputs.o.files.f.from'],
    [
      'an unknown secret',
      { format: 'json', from: ['app', 'zzz.x'] },
      'CONFIG_UNKNOWN_SECRET outputs.o.files.f.from[1]',
    ],
    ['an unknown builtin', { template: 'builtin:nope' }, 'CONFIG_INVALID outputs.o.files.f.template'],
    ['an unknown format', { format: 'xml', from: 'app' }, 'CONFIG_INVALID outputs.o.files.f.format'],
    ['parts of json', { format: 'json', from: 'app', parts: 'key' }, 'CONFIG_INVALID outputs.o.files.f.parts'],
    ['parts without format', { content: 'x', parts: 'key' }, 'CONFIG_INVALID outputs.o.files.f.parts'],
    ['an unknown part', { format: 'pem', from: 'app', parts: ['cert'] }, 'CONFIG_INVALID outputs.o.files.f.parts'],
    [
      'keyFormat of pkcs12',
      { format: 'pkcs12', from: 'app', password: 'app.p', keyFormat: 'pkcs1' },
      'CONFIG_INVALID outputs.o.files.f.keyFormat',
    ],
    ['alias of pem', { format: 'pem', from: 'app', alias: 'x' }, 'CONFIG_INVALID outputs.o.files.f.alias'],
    [
      'a password without a field',
      { format: 'pkcs12', from: 'app', password: 'app' },
      'CONFIG_INVALID outputs.o.files.f.password',
    ],
    ['an empty password', { format: 'pkcs12', from: 'app', password: '' }, 'CONFIG_INVALID outputs.o.files.f.password'],
    [
      'a password that is written literally',
      { format: 'pkcs12', from: 'app', password: 'changeit' },
      'CONFIG_INVALID outputs.o.files.f.password',
    ],
    ['a mode of four digits', { content: 'x', mode: '4755' }, 'CONFIG_INVALID outputs.o.files.f.mode'],
    ['a negative uid', { content: 'x', uid: -1 }, 'CONFIG_INVALID outputs.o.files.f.uid'],
  ])('%s is a problem', async (_, file, brief) => {
    expect(await briefly(loadWith(withFile(file)))).toEqual([brief]);
  });

  it.each<object>([
    { format: 'dotenv', from: 'app', prefix: 'SHOP_', case: 'upper', rename: { 'pass-word': 'PASSWORD', a: '1' } },
    { format: 'properties', from: ['app'], prefix: 'shop.', case: 'lower', rename: { 'pass-word': 'pass word' } },
    { format: 'json', from: 'app', flat: true, prefix: '1 ', rename: { a: 'b-c' } },
    { format: 'yaml', from: 'app', flat: false },
    { format: 'dotenv', from: 'app', prefix: '' },
    { format: 'dotenv', from: 'app', for: 'node', keys: 'identifier' },
    { format: 'properties', from: 'app', keys: 'identifier' },
    { format: 'pem', from: 'app', parts: ['key', 'fullchain'], keyFormat: 'sec1' },
    { format: 'pem', from: 'app', parts: 'key', password: 'app.p' },
    { format: 'der', from: 'app', parts: 'root' },
    { format: 'pkcs12', from: 'app', password: 'app.p', alias: 'shop', parts: ['fullchain', 'root'] },
    { format: 'truststore', from: ['app', 'app.ca'], password: 'app.p' },
  ])('%j is accepted', async (file) => {
    expect(await briefly(loadWith(withFile(file)))).toEqual([]);
  });

  it('a password that is written literally is not shown', async () => {
    for (const password of ['changeit', 'app', 'hunter2.x']) {
      const error = await loadWith(withFile({ format: 'pkcs12', from: 'app', password })).catch((e: unknown) => e);
      expect(JSON.stringify((error as ProblemsError).failures)).not.toMatch(/changeit|hunter2/);
    }
  });

  it.each([
    ['jks', 'JKS is not written: use pkcs12'],
    ['p12', 'Write pkcs12.'],
    ['pfx', 'Write pkcs12.'],
  ])('format %s has a hint', async (format, hint) => {
    const error = await loadWith(withFile({ format, from: 'app' })).catch((e: unknown) => e);
    expect((error as ProblemsError).failures[0]?.hint).toContain(hint);
  });

  it('options are passed on as they are', async () => {
    const given = { prefix: 'SHOP_', case: 'upper', rename: { 'app.pass-word': 'PASSWORD', b: 'C' } };
    const config = await loadWith(withFile({ format: 'dotenv', from: 'app', ...given }));
    expect(config.outputs.get('o')?.files.get('f')?.content).toEqual({
      kind: 'format',
      format: 'dotenv',
      from: [['app']],
      options: {
        ...given,
        rename: [
          ['app.pass-word', 'PASSWORD'],
          ['b', 'C'],
        ],
      },
    });
  });

  it('the field of a source is all after the first dot', async () => {
    const config = await loadWith(withFile({ format: 'json', from: ['app', 'app.a.b'] }));
    expect(config.outputs.get('o')?.files.get('f')?.content).toMatchObject({ from: [['app'], ['app', 'a.b']] });
  });

  it('maxWait follows a longer quiet, and is not shorter when given', async () => {
    const config = await loadWith(withOutput({ quiet: '5s' }));
    expect(config.outputs.get('o')?.maxWaitMs).toBe(5000);
    expect(await briefly(loadWith(withOutput({ quiet: '5s', maxWait: '1s' })))).toEqual([
      'CONFIG_INVALID outputs.o.maxWait',
    ]);
  });
});

describe('a mode that has no effect because of the directory of the output', () => {
  const warnings = async (output: object) => {
    const o = { dir: './o', files: { f: { content: 'x' }, g: { content: 'x' } }, ...output };
    return (await loadWith({ outputs: { o } })).warnings.map(({ code, place }) => `${code} ${place}`);
  };

  it.each<[string, object, string[]]>([
    ['a group without its gid', { mode: '0440' }, ['outputs.o.mode']],
    ['others', { mode: '0444', gid: 1 }, ['outputs.o.mode']],
    ['one file', { files: { f: { content: 'x', mode: '0404' }, g: { content: 'x' } } }, ['outputs.o.files.f.mode']],
  ])('is a warning: %s', async (_, output, places) => {
    expect(await warnings(output)).toEqual(places.map((place) => `CONFIG_DIR_MODE ${place}`));
  });

  it.each<[string, object]>([
    ['for the owner alone', {}],
    ['with a gid, which opens the directory', { mode: '0440', gid: 1 }],
    ['with the gid of the file', { files: { f: { content: 'x', mode: '0440', gid: 1 } } }],
    ['with any dirMode', { mode: '0444', dirMode: '0700' }],
  ])('is none: %s', async (_, output) => {
    expect(await warnings(output)).toEqual([]);
  });
});

describe('reload', () => {
  const reloads = (...reload: object[]) => loadWith(withOutput({ reload }));

  it.each<[string, object, string]>([
    ['nothing', {}, 'CONFIG_MISSING outputs.o.reload[0]'],
    [
      'two things',
      { signal: { name: 'HUP', pidFile: 'x' }, command: { argv: ['x'] } },
      'CONFIG_INVALID outputs.o.reload[0]',
    ],
    ['SIGKILL', { signal: { name: 'SIGKILL', pidFile: 'x' } }, 'CONFIG_INVALID outputs.o.reload[0].signal.name'],
    ['STOP', { signal: { name: 'STOP', pidFile: 'x' } }, 'CONFIG_INVALID outputs.o.reload[0].signal.name'],
    [
      'an unknown signal',
      { signal: { name: 'SIGFOO', pidFile: 'x' } },
      'CONFIG_INVALID outputs.o.reload[0].signal.name',
    ],
    ['no process', { signal: { name: 'HUP' } }, 'CONFIG_MISSING outputs.o.reload[0].signal.pidFile'],
    [
      'a path for a process',
      { signal: { name: 'HUP', process: '/bin/x' } },
      'CONFIG_INVALID outputs.o.reload[0].signal.process',
    ],
    [
      'two processes',
      { signal: { name: 'HUP', process: 'x', pidFile: 'x' } },
      'CONFIG_INVALID outputs.o.reload[0].signal',
    ],
    [
      'all of a pid file',
      { signal: { name: 'HUP', pidFile: 'x', all: true } },
      'CONFIG_INVALID outputs.o.reload[0].signal.all',
    ],
    ['an empty argv', { command: { argv: [] } }, 'CONFIG_INVALID outputs.o.reload[0].command.argv'],
    ['an empty program', { command: { argv: ['', 'x'] } }, 'CONFIG_INVALID outputs.o.reload[0].command.argv[0]'],
    ['a url of another kind', { http: { url: 'unix:///x' } }, 'CONFIG_INVALID outputs.o.reload[0].http.url'],
    ['a password in a url', { http: { url: 'http://a:b@x' } }, 'CONFIG_INVALID outputs.o.reload[0].http.url'],
    ['no url', { http: {} }, 'CONFIG_MISSING outputs.o.reload[0].http.url'],
    [
      'a strange method',
      { http: { url: 'http://x', method: 'post' } },
      'CONFIG_INVALID outputs.o.reload[0].http.method',
    ],
    ['no status', { http: { url: 'http://x', expect: [] } }, 'CONFIG_INVALID outputs.o.reload[0].http.expect'],
    [
      'a status of 100',
      { http: { url: 'http://x', expect: [100] } },
      'CONFIG_INVALID outputs.o.reload[0].http.expect[0]',
    ],
    [
      'caFile without TLS',
      { http: { url: 'http://x', caFile: 'ca' } },
      'CONFIG_INVALID outputs.o.reload[0].http.caFile',
    ],
    [
      'a header of our own',
      { http: { url: 'http://x', headers: { 'Content-Length': '1' } } },
      'CONFIG_INVALID outputs.o.reload[0].http.headers.Content-Length',
    ],
    [
      'a header twice',
      { http: { url: 'http://x', headers: { Host: 'a', host: 'b' } } },
      'CONFIG_DUPLICATE outputs.o.reload[0].http.headers.host',
    ],
    ['a shell line', { command: { argv: 'nginx -s reload' } }, 'CONFIG_INVALID outputs.o.reload[0].command.argv'],
  ])('%s is a problem', async (_, reload, brief) => {
    expect(await briefly(reloads(reload))).toEqual([brief]);
  });

  it('an HTTP reload has defaults; its templates are not searched for references', async () => {
    const headers = { Authorization: 'Bearer ${env:NONE} {{app.token}}' };
    const { outputs, warnings } = await reloads({ http: { url: 'http://x/y', headers, body: '${x}', socket: '/s' } });
    const [http] = outputs.get('o')?.reload ?? [];
    expect(http).toEqual({
      kind: 'http',
      method: 'POST',
      url: 'http://x/y',
      socket: '/s',
      headers: new Map(Object.entries(headers)),
      body: '${x}',
      timeoutMs: 10_000,
      place: 'outputs.o.reload[0]',
    });
    expect(warnings).toEqual([]);
  });

  it('a credential written literally in a header is a warning', async () => {
    const { warnings } = await reloads({ http: { url: 'http://x', headers: { 'X-Api-Key': 'hunter2', Accept: 'a' } } });
    expect(warnings).toMatchObject([
      { code: 'CONFIG_LITERAL_SECRET', place: 'outputs.o.reload[0].http.headers.X-Api-Key' },
    ]);
  });

  it('a signal goes by its name with or without SIG, a program without a slash is looked up on PATH', async () => {
    const config = await reloads(
      { signal: { name: 'HUP', pidFile: '/p' } },
      { signal: { name: 'SIGUSR1', process: 'nginx' } },
      { command: { argv: ['nginx', '-s', 'reload/x', ''] } },
    );
    expect(config.outputs.get('o')?.reload).toMatchObject([
      { name: 'SIGHUP' },
      { name: 'SIGUSR1', process: 'nginx', all: false },
      { argv: ['nginx', '-s', 'reload/x', ''], timeoutMs: 30_000 },
    ]);
  });
});
