import { describe, expect, it } from 'vitest';
import { BAO, briefly, loadText, loadWith, problemsOf } from './config.helpers.ts';

const secrets = { app: { kv: 'secret/app' } };
const fileOf = (file: object) => ({ secrets, outputs: { o: { dir: 'o', files: { f: file } } } });

describe('a key that does not fit hides no other problem of its entry', () => {
  it.each<[string, object, ...string[]]>([
    [
      'a bad format, an unknown secret',
      fileOf({ format: 'jsn', from: ['app', 'ap'] }),
      'CONFIG_INVALID outputs.o.files.f.format',
      'CONFIG_UNKNOWN_SECRET outputs.o.files.f.from[1]',
    ],
    [
      'a bad mode, two contents',
      fileOf({ mode: 400, content: 'x', template: './x' }),
      'CONFIG_INVALID outputs.o.files.f.mode',
      'CONFIG_INVALID outputs.o.files.f',
    ],
    [
      'a bad refresh, an unknown backend, a key of another request',
      { secrets: { app: { kv: 'a/b', refresh: 5, backend: 'boa', stage: 'x' } } },
      'CONFIG_INVALID secrets.app.refresh',
      'CONFIG_UNKNOWN_BACKEND secrets.app.backend',
      'CONFIG_INVALID secrets.app.stage',
    ],
    [
      'a request of a wrong type, and another one',
      { secrets: { app: { kv: 5, read: 'x/y' } } },
      'CONFIG_INVALID secrets.app.kv',
      'CONFIG_INVALID secrets.app',
    ],
    [
      'a bad timeout, no login token',
      { backends: { bao: { ...BAO, timeout: 5, auth: { method: 'token' } } } },
      'CONFIG_INVALID backends.bao.timeout',
      'CONFIG_MISSING backends.bao.auth.token',
    ],
    [
      'an output without a directory, a wait that is too short',
      { secrets, outputs: { o: { quiet: '2s', maxWait: '1s', files: {} } } },
      'CONFIG_MISSING outputs.o.dir',
      'CONFIG_INVALID outputs.o.maxWait',
    ],
    [
      'two outputs with one directory, one of them with another problem',
      { secrets, outputs: { a: { dir: 'o', mode: 400, files: {} }, b: { dir: './o', files: {} } } },
      'CONFIG_INVALID outputs.a.mode',
      'CONFIG_SAME_DIR outputs.b.dir',
    ],
    [
      'a signal without a name, two processes for it',
      { secrets, outputs: { o: { dir: 'o', files: {}, reload: [{ signal: { pidFile: 'p', process: 'x' } }] } } },
      'CONFIG_MISSING outputs.o.reload[0].signal.name',
      'CONFIG_INVALID outputs.o.reload[0].signal',
    ],
    [
      'a bad grace, a bad variable, an unknown secret',
      { secrets, exec: { grace: 5, env: { 'A-B': 'x' }, from: ['ap'] } },
      'CONFIG_INVALID exec.grace',
      'CONFIG_INVALID exec.env["A-B"]',
      'CONFIG_UNKNOWN_SECRET exec.from[0]',
    ],
    [
      'a bad mode, an unknown secret of a listener',
      { secrets, api: { socket: 's', mode: 7, secrets: ['ap'] } },
      'CONFIG_INVALID api.mode',
      'CONFIG_UNKNOWN_SECRET api.secrets[0]',
    ],
    [
      'two listeners on one socket, one of them with another problem',
      { secrets, api: { socket: 's', mode: 7 }, admin: { socket: './s' } },
      'CONFIG_INVALID api.mode',
      'CONFIG_DUPLICATE admin.socket',
    ],
    [
      'two listeners on one port beside a problem of a secret',
      { secrets: { app: { kv: 5 } }, proxy: { listen: '127.0.0.1:1' }, admin: { listen: '0.0.0.0:1' } },
      'CONFIG_INVALID secrets.app.kv',
      'CONFIG_DUPLICATE admin.listen',
    ],
    [
      'a reference that cannot be filled, an unknown secret',
      fileOf({ mode: '${env:NOPE}', format: 'json', from: 'ap' }),
      'CONFIG_REFERENCE outputs.o.files.f.mode',
      'CONFIG_UNKNOWN_SECRET outputs.o.files.f.from',
    ],
  ])('%s', async (_, given, ...wanted) => {
    expect(await briefly(loadWith(given))).toEqual(wanted.map((one) => one.replace('exec.env["A-B"]', HIDDEN_ENV)));
  });
});

/** A key that does not look like one is not shown. */
const HIDDEN_ENV = 'exec.env.A-B';

describe('a key that does not fit brings up no problem of its own making', () => {
  it.each<[string, object, string]>([
    ['a misspelt format', fileOf({ format: 'dotnev', from: 'app', prefix: 'A_' }), 'outputs.o.files.f.format'],
    ['a misspelt key for the format', fileOf({ formt: 'json', from: 'app' }), 'outputs.o.files.f.formt'],
    ['a misspelt key for the source', fileOf({ format: 'json', form: 'app' }), 'outputs.o.files.f.form'],
    ['a format that is a list', fileOf({ format: ['raw'], from: ['app', 'app'] }), 'outputs.o.files.f.format'],
    ['a misspelt request', { secrets: { app: { vk: 'a/b', version: 3 } } }, 'secrets.app.vk'],
    ['a request of a wrong type', { secrets: { app: { kv: ['a'], version: 3 } } }, 'secrets.app.kv'],
    [
      'a misspelt login',
      { backends: { bao: { ...BAO, auth: { method: 'kubernets', role: 'x' } } } },
      'backends.bao.auth.method',
    ],
    ['a misspelt kind', { backends: { bao: { ...BAO, kind: 'valt' } }, secrets }, 'backends.bao.kind'],
    ['a misspelt socket', { api: { sockett: 's' } }, 'api.sockett'],
    ['a misspelt socket beside a port', { admin: { listen: '127.0.0.1:1', sockett: 's' } }, 'admin.sockett'],
    ['a bad quiet', { secrets, outputs: { o: { dir: 'o', quiet: 5, maxWait: '1s', files: {} } } }, 'outputs.o.quiet'],
    ['a bad onChange', { secrets, exec: { onChange: 'sginal', signal: 'SIGHUP' } }, 'exec.onChange'],
    ['a space that is missing', { secrets: { app: { 'kv:a/b': null } } }, 'secrets.app'],
    [
      'a step that is misspelt',
      { secrets, outputs: { o: { dir: 'o', files: {}, reload: [{ comand: { argv: ['x'] } }] } } },
      'outputs.o.reload[0].comand',
    ],
  ])('%s', async (_, given, wanted) => {
    expect((await problemsOf(loadWith(given))).map(({ place }) => place)).toEqual([wanted]);
  });
});

describe('what was probably meant', () => {
  it.each<[string, string, string]>([
    ['a kind', 'backends: { d: { kind: fil, path: x } }', 'file'],
    ['a kind in another case', 'backends: { d: { kind: Vault, address: "http://x" } }', 'vault'],
    ['a method', 'backends: { d: { kind: vault, address: "http://x", auth: { method: aprole } } }', 'approle'],
    ['a key of a backend', 'backends: { d: { kind: file, pat: x, path: y } }', 'path'],
    [
      'a key of a login',
      'backends: { d: { kind: vault, address: "http://x", auth: { method: kubernetes, role: r, tokenfile: x } } }',
      'tokenFile',
    ],
    [
      'a key of a secret',
      'secrets: { a: { key: x, refersh: 5m } }\nbackends: { d: { kind: file, path: x } }',
      'refresh',
    ],
  ])('is named for %s', async (_, text, meant) => {
    const [first] = await problemsOf(loadText(`version: 1\n${text}\n`));
    expect(first?.seen).toContain(`did you mean "${meant}"?`);
  });

  it('is named for a key that is missing, at the key that is misspelt, and the missing one is not told twice', async () => {
    const problems = await problemsOf(loadText('version: 1\nbackends: { d: { kind: file, pth: x } }\n'));
    expect(problems.map(({ place, seen }) => `${place}: ${seen}`)).toEqual([
      'backends.d.pth: unknown key; did you mean "path"?',
    ]);
  });
});

describe('a misspelt kind, method or version is named, with the other keys that are wrong', () => {
  it.each<[string, object, string[]]>([
    [
      'kind',
      { backends: { d: { knd: 'file', path: './x' } } },
      ['CONFIG_UNKNOWN_KEY backends.d.knd: unknown key; did you mean "kind"?'],
    ],
    [
      'method',
      { backends: { bao: { ...BAO, auth: { metod: 'approle', secretIdFil: 'y' } } } },
      [
        'CONFIG_UNKNOWN_KEY backends.bao.auth.metod: unknown key; did you mean "method"?',
        'CONFIG_UNKNOWN_KEY backends.bao.auth.secretIdFil: unknown key; did you mean "secretIdFile"?',
      ],
    ],
    [
      'absent kind',
      { backends: { d: { adress: 'http://x' } } },
      [
        'CONFIG_MISSING backends.d.kind: kind is absent',
        'CONFIG_UNKNOWN_KEY backends.d.adress: unknown key; did you mean "address"?',
      ],
    ],
    [
      'version',
      { version: undefined, versoin: 1 },
      ['CONFIG_UNKNOWN_KEY versoin: unknown key; did you mean "version"?'],
    ],
  ])('%s', async (_, given, wanted) => {
    const problems = await problemsOf(loadWith(given));
    const told = problems.map(({ code, place, seen }) => `${code} ${place}: ${seen.replace(/; one of .*/, '')}`);
    expect(told).toEqual(wanted);
  });
});
