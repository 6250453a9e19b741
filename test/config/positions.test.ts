import { readdirSync } from 'node:fs';
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
      'b.json:2:2: secrets.app: also defined at a.yaml:4:3',
      'b.json:3:19: secrets.other.key: it is a number; text is expected',
    ]);
  });

  it('is known of every problem of a file that could be parsed', async () => {
    const fixtures = readdirSync(FIXTURES).filter((name) => /^bad-.*\.(?:yaml|json)$/.test(name));
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
      'shop.yaml:8:7',
      'shop.yaml:10:7',
      'shop.yaml:12:7',
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
