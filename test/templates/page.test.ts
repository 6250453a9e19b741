import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BUILTIN_TEMPLATES, builtinText } from '../../src/config/sections/outputs/builtin-templates.ts';
import { analyse } from '../../src/render/template/analyse.ts';
import { parseTemplate } from '../../src/render/template/parse.ts';
import { loadWith } from '../config/config.helpers.ts';
import { exampleOf } from '../docs/templates-page.ts';
import { seenOf } from './templates.helpers.ts';

describe('templates/', () => {
  it('holds the templates of the table of builtins, each with a golden file', () => {
    const names = [...BUILTIN_TEMPLATES.keys()].sort();
    expect(readdirSync('templates').sort()).toEqual(names.map((name) => `${name}.hbs`));
    expect(readdirSync('test/fixtures/templates').sort()).toEqual(names.map((name) => `${name}.golden`));
  });

  it.each([...BUILTIN_TEMPLATES])(
    '%s names its fields and no others, and guards those that may be missing',
    async (name, it) => {
      const source = builtinText(name);
      const known = { secrets: new Set([it.input]), backends: new Map() };
      const { uses, problems } = analyse(await parseTemplate(source), known, () => '0');
      expect(problems).toEqual([]);
      const named = (guarded: boolean) =>
        new Set(uses.filter((use) => use.guarded === guarded).flatMap(({ fields }) => fields));
      const all = new Set([...(it.fields ?? []), ...(it.optional ?? [])]);
      expect(named(true).union(named(false))).toEqual(all);
      for (const field of it.fields ?? []) expect([field, named(true).has(field)]).toEqual([field, false]);
    },
  );

  it.each([...BUILTIN_TEMPLATES])('%s can be configured as in its example', async (name, builtin) => {
    const files = parse(exampleOf(name, builtin));
    const secret = Object.values(Object.values<{ with: object }>(files)[0]?.with ?? {})[0] as string;
    const outputs = { o: { dir: '/run/x', files } };
    const config = await loadWith({ secrets: { [secret]: { kv: 'secret/x' } }, outputs });
    expect([...(config.outputs.get('o')?.files.values() ?? [])].map(({ content }) => content)).toMatchObject([
      { kind: 'content', builtin: name, text: readFileSync(`templates/${name}.hbs`, 'utf8') },
    ]);
  });
});

describe('a builtin that cannot write a field', () => {
  it.each<[string, Readonly<Record<string, string | null>>, RegExp]>([
    ['dotenv', { OK: 'x', 'pass-word': 'y' }, /^match .*; it was given @key of app\.pass-word$/],
    ['dotenv', { OK: 'x', BAD: 'a\0b' }, /^quote .*; it was given app\.BAD$/],
    ['systemd-env', { OK: 'x', 'a.b': 'y' }, /^match .*; it was given @key of app\.\[a\.b\]$/],
    ['htpasswd', { ann: 'a plain password' }, /^match .*; it was given users\.ann$/],
    ['pgpass', { username: 'u', password: 'a\nb' }, /^quote .*; it was given db\.password$/],
    ['my-cnf', { username: 'u', password: 'a\0b' }, /^quote .*; it was given db\.password$/],
    ['docker-config', { username: 'a:b', password: 'p' }, /^match .*; it was given docker\.username$/],
    ['ssh-key', { privateKey: 'no key' }, /^pem .*; it was given ssh\.privateKey$/],
    ['properties', { a: null }, /^quote .*; it was given app\.a$/],
  ])('%s names it, as with %j', async (name, fields, message) => {
    const seen = await seenOf(name, fields);
    expect(seen).toMatch(message);
    expect(seen).not.toMatch(/plain password|no key/);
  });
});
