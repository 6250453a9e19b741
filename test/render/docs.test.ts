import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { FileContent, FormatName, FormatOptions } from '../../src/config/config.ts';
import { HELPERS } from '../../src/render/helpers/index.ts';
import { loadWith } from '../config/config.helpers.ts';
import { templatesPage } from '../docs/templates-page.ts';
import { failureOf, format, problemsOf, textOf } from './render.helpers.ts';

const doc = readFileSync('docs/templates.md', 'utf8');
const fences = [...doc.matchAll(/^```(\w+)(?: (\w+))?\n([\s\S]*?)^```$/gm)].map(
  ({ 1: language = '', 2: name = '', 3: text = '', index, 0: whole }) => ({ language, name, text, index, whole }),
);
const samples = fences.filter(({ language }) => language === 'json').map(({ name, text }) => [name, text] as const);
const secrets = { ...Object.fromEntries(samples), extra: 'optional and absent' as const };

/** Each example is a template or the configuration of a file; the text after it says what it gives. */
const examples = fences
  .filter(({ language }) => language === 'hbs' || language === 'yaml')
  .map(({ language, text, index, whole }) => {
    const after = doc.slice(index + whole.length);
    const gives = /^\n\ngives\n\n```text\n([\s\S]*?)^```$/m.exec(after);
    const inline = /^\n\ngives `([^`]+)`/.exec(after);
    const fails = /^\n\nfails with ([A-Z_]+)/.exec(after);
    const at = (match: RegExpExecArray | null) => (match?.index === 0 ? match[1] : undefined);
    return { language, text, gives: at(gives), exactly: at(inline), fails: at(fails) };
  });

type Shape = Omit<FormatOptions, 'rename'> & {
  readonly format: FormatName;
  readonly from: string[];
  readonly rename?: Record<string, string>;
};

async function whatOf(language: string, text: string): Promise<string | FileContent> {
  if (language === 'hbs') return text;
  const file = parse(text) as object;
  if (!('format' in file)) return configured(file);
  const { format: name, from, rename, ...rest } = file as Shape;
  return { ...format(name, ...from), options: { ...rest, rename: Object.entries(rename ?? {}) } };
}

/** The content of a file, read by the loader of configurations. */
async function configured(file: object): Promise<FileContent> {
  const paths = Object.fromEntries(Object.keys(secrets).map((name) => [name, { kv: `secret/${name}` }]));
  const { outputs } = await loadWith({ secrets: paths, outputs: { o: { dir: '/run/x', files: { f: file } } } });
  return outputs.get('o')?.files.get('f')?.content as FileContent;
}

describe('docs/templates.md', () => {
  it('has its samples', () => {
    expect(samples.map(([name]) => name)).toEqual(['app', 'db', 'tls']);
    expect(examples.length).toBeGreaterThan(10);
  });

  it.each(examples)('holds for $text', async ({ language, text, gives, exactly, fails }) => {
    const what = await whatOf(language, text);
    if (fails === undefined) {
      expect(await textOf(what, secrets)).toBe(gives ?? exactly);
      return;
    }
    const [problem] = await problemsOf(what, Object.keys(secrets));
    expect((problem ?? (await failureOf(what, secrets))).code).toBe(fails);
  });

  it('has a row for each helper, target of quote and builtin, and no other (npm run docs writes them)', () => {
    expect(doc).toBe(templatesPage(doc));
  });

  it.each([...HELPERS])(
    'shows an example of %s that calls it and gives the stated text',
    async (name, { usage, example }) => {
      const [template, gives] = example;
      expect([usage.split(' ')[0], new RegExp(`[{(]${name} `).test(template)]).toEqual([name, true]);
      expect(await textOf(template, secrets)).toBe(gives);
    },
  );
});
