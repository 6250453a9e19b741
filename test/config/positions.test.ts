import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { type Failure, formatPosition, PannierError, ProblemsError } from '../../src/base/errors.ts';
import { loadPlan } from '../../src/cli/setup.ts';
import { loadConfig } from '../../src/config/load.ts';
import { FIXTURES, loadFixture, loadText, makeFolder, problemsOf } from './config.helpers.ts';

/** Each problem as `LINE:COLUMN place`. */
async function positionsOf(loading: Promise<unknown>): Promise<string[]> {
  return (await problemsOf(loading)).map(({ at, place }) => `${at?.line}:${at?.column} ${place}`);
}

/** A YAML text without the indentation of the first line. */
const yaml = (text: string): string => text.replaceAll(/^ {4}/gm, '').replace(/^\n/, '');

describe('the position of a problem', () => {
  it.each([
    ['a name before the map', '${canary}{"version":1}', '1:1'],
    ['a key without quotes', '{"version":1,canary:2}', '1:14'],
    ['a key with a wrong escape', '{"version":1,"can\\x":2}', '1:14'],
    ['a number as a key', '{"version":1,\n 5:2}', '2:2'],
  ])('is that of the mistake in JSON with %s, of which nothing is shown', async (_, text, where) => {
    const cwd = makeFolder({ 'shop.json': text });
    const problems = await problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: ['shop.json'], env: {}, cwd }));
    expect(problems.map(({ code, place }) => `${code} ${place}`)).toEqual([`CONFIG_MALFORMED shop.json:${where}`]);
    expect(JSON.stringify(problems)).not.toContain('canary');
  });

  it('is that of the value, of an unknown key, and of what misses a key, in YAML', async () => {
    const text = yaml(`
    version: 1
    backends:
      bao:
        kind: vault
        address: http://127.0.0.1:8200
        auth: { method: kubernetes }
        timout: 5s
    secrets:
      app:
        kv: secret/app
        refresh: 5
      "db":   { read: database/creds/shop, backend: boa }
    outputs:
      shop:
        dir: ./out
        files:
          app.env:
            format: dotenv
            from:
              - app
              - dbb
    lgo: {}
    `);
    expect(await positionsOf(loadText(text))).toEqual([
      '22:1 lgo',
      '6:5 backends.bao.auth.role',
      '7:5 backends.bao.timout',
      '11:14 secrets.app.refresh',
      '12:49 secrets.db.backend',
      '21:13 outputs.shop.files["app.env"].from[1]',
    ]);
  });

  it('is the same in JSON, also behind escapes and with lines that end in CRLF', async () => {
    const lines = [
      '{"version": 1, "backends": {"d": {"kind": "file", "path": "./\\"{[,:]}\\\\"}},',
      ' "secrets": {',
      '  "app": {"key": "x", "refresh": 5},',
      '  "b\\u0062": {"key": ["x"],',
      '    "optinal": true, "backend": "boa"}},',
      ' "outputs": {"o": {"files": {"f": {"format": "json",',
      '   "from": ["app",',
      '     "ap"]}}}}}',
    ];
    const folder = makeFolder({ 'shop.json': lines.join('\r\n') });
    expect(await positionsOf(loadConfig({ kinds: BACKEND_KINDS, paths: ['shop.json'], env: {}, cwd: folder }))).toEqual(
      [
        '3:34 secrets.app.refresh',
        '4:15 secrets.bb.key',
        '5:5 secrets.bb.optinal',
        '5:33 secrets.bb.backend',
        '6:14 outputs.o.dir',
        '8:6 outputs.o.files.f.from[1]',
      ],
    );
  });

  it('is where the text with a reference stands, whatever the reference gave', async () => {
    const text = yaml(`
    version: 1
    backends: { d: { kind: file, path: ./x } }
    secrets:
      app:
        key: x
        refresh: "\${env:REFRESH}"
        backend: \${env:ABSENT}
    `);
    const problems = await problemsOf(loadText(text, { REFRESH: 's3cr3t' }));
    expect(problems.map(({ at }) => at && formatPosition(at))).toEqual(['shop.yaml:7:14', 'shop.yaml:6:14']);
    expect(JSON.stringify(problems)).not.toContain('s3cr3t');
  });

  it('is that of the alias for what an alias stands for', async () => {
    const text = yaml(`
    version: 1
    backends: { d: { kind: file, path: ./x } }
    secrets:
      a: &one { key: x }
      b: &two { kee: x }
      c: *two
    `);
    expect(await positionsOf(loadText(text))).toEqual(['5:13 secrets.b.kee', '6:3 secrets.c.kee']);
  });

  it('names the file of several, for names that two of them define as well', async () => {
    const folder = makeFolder({
      'a.yaml': 'version: 1\nbackends: { d: { kind: file, path: ./x } }\nsecrets:\n  app: { key: x }\n',
      'b.json': '{"secrets": {\n "app": {"key": "y"},\n "other": {"key": 5}}}',
    });
    const problems = await problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: [folder], env: {}, cwd: folder }));
    expect(problems.map(({ at, place, seen }) => `${at && formatPosition(at)}: ${place}: ${seen}`)).toEqual([
      `${folder}/b.json:2:2: secrets.app: also defined at ${folder}/a.yaml:4:3`,
      `${folder}/b.json:3:19: secrets.other.key: it is a number; text is expected`,
    ]);
  });

  it('is known of every problem of a file that could be parsed', async () => {
    const fixtures = readdirSync(FIXTURES).filter((name) => /^bad-.*.(?:yaml|json)$/.test(name));
    const all = await Promise.all(fixtures.map(async (name) => await problemsOf(loadFixture(name))));
    const without = all
      .flat()
      .filter(({ at, code }) => at === undefined && !['CONFIG_UNREADABLE', 'CONFIG_MALFORMED'].includes(code));
    expect(without).toEqual([]);
    expect(all.flat().length).toBeGreaterThan(60);
  });

  it('is known of problems in templates, and is that of the file whose template it is', async () => {
    const folder = makeFolder({
      'shop.yaml': yaml(`
    version: 1
    backends: { d: { kind: file, path: ./x } }
    secrets: { app: { key: x } }
    outputs:
      shop:
        dir: ./out
        files:
          a.conf:
            content: "{{ap.name}}"
          "b [x].conf":
            template: ./b.hbs
          plain: { content: "{{app.x" }
    `),
      'b.hbs': 'one\n{{app.name\n',
    });
    const problems = await failuresOf(loadPlan({ config: [join(folder, 'shop.yaml')] }));
    expect(problems.map(({ at }) => at && formatPosition(at))).toEqual([
      `${folder}/shop.yaml:8:7`,
      `${folder}/shop.yaml:10:7`,
      `${folder}/shop.yaml:12:7`,
    ]);
  });

  it.each([
    ['v/w.yaml', 'v/w.yaml'],
    ['./v/w.yaml', './v/w.yaml'],
    ['../w.yaml', '../w.yaml'],
    ['v', 'v/w.yaml'],
  ])('names the file as it was given: %s', async (given, file) => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'here/v'), { recursive: true });
    for (const path of ['w.yaml', 'here/v/w.yaml'])
      writeFileSync(join(folder, path), 'version: 1\nlog: { levl: info }\n');
    const cwd = join(folder, 'here');
    const problems = await problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: [given], env: {}, cwd }));
    expect(problems.map(({ at }) => at)).toEqual([{ file, line: 2, column: 8 }]);
    const whole = join(cwd, given);
    const [absolute] = await problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: [whole], env: {}, cwd: '/' }));
    expect(absolute?.at?.file).toBe(given === 'v' ? join(whole, 'w.yaml') : whole);
  });

  it('is the line of a template that stands line by line in the file', async () => {
    const folder = makeFolder({
      'shop.yaml': yaml(`
    version: 1
    backends: { d: { kind: file, path: ./x } }
    secrets: { app: { key: x } }
    outputs:
      shop:
        dir: ./out
        files:
          a.conf:
            content: |

              one
              ok {{ap.name}}
          b.conf:
            content: |2-
                {{ap.name}}
          c.conf:
            content: >
              one {{ap.name}}
          d.conf: { content: "\\n{{ap.name}}" }
    exec:
      command: [x]
      env:
        A: |-
          {{ap.name}}
    `),
    });
    const problems = await failuresOf(loadPlan({ config: [join(folder, 'shop.yaml')] }));
    const positions = problems.map(({ at, place }) => `${at?.line}:${at?.column} ${place}`);
    expect(positions).toEqual([
      '12:16 outputs.shop.files["a.conf"], content:3:6',
      '13:7 outputs.shop.files["b.conf"], content:1:5',
      '16:7 outputs.shop.files["c.conf"], content:1:7',
      '19:7 outputs.shop.files["d.conf"], content:2:3',
      '24:9 exec.env.A, content:1:3',
    ]);
  });
});

async function failuresOf(loading: Promise<unknown>): Promise<readonly Failure[]> {
  const error = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProblemsError) return error.failures;
  return error instanceof PannierError ? [error.failure] : [];
}
