import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { planOf } from '../../src/agent/create-plan.ts';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { codeTable } from '../../src/base/codes.ts';
import { loadConfig } from '../../src/config/load.ts';
import { keyPaths } from '../../src/config/problems/schema-keys.ts';
import { configFileSchema } from '../../src/config/schema.ts';
import { loadKinds } from '../../src/config/sections/backends/schema.ts';
import { KNOWN_KEYS } from '../../src/import/config/keys.ts';
import { parseCommandLine } from '../cli/command-line.helpers.ts';
import { makeFolder } from '../config/config.helpers.ts';
import { commandLines, fencedBlocks, pages } from './fenced.ts';

const configFile = configFileSchema(await loadKinds(BACKEND_KINDS));

const SECTIONS: ReadonlySet<string> = new Set(keyPaths(configFile).filter((key) => !key.includes('.')));

const MUST_HAVE: Readonly<Record<string, string>> = {
  get: 'NAME',
  probe: 'live',
  completion: 'bash',
  rollback: 'o',
  resume: 'o',
};

/** Variables that the configurations of the pages use. */
const ENVIRONMENT = {
  CREDENTIALS_DIRECTORY: '/run/credentials/pannier.service',
  HOME: '/root',
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
};

describe('the command lines of the documentation', () => {
  it.each(commandLines().map(({ where, words }) => [where, words.join(' '), words] as const))(
    '%s: pannier %s',
    async (_, __, words) => {
      // A sentence may name a command without its required argument: `pannier get`.
      const must = words.length === 1 ? MUST_HAVE[words[0] ?? ''] : undefined;
      const args = must === undefined ? words : [...words, must];
      const filled = args.map((word) => (word === 'DURATION' ? '5s' : word));
      expect(await parseCommandLine(filled)).toBe(words[0]);
    },
  );

  it('are found', () => {
    expect(commandLines().length).toBeGreaterThan(20);
  });
});

describe('the configurations of the documentation', () => {
  const blocks = fencedBlocks().filter(({ language }) => language === 'yaml' || language === 'json');
  // A configuration in an annotation is for the test of its page.
  const whole = blocks.filter(
    ({ text }) => /^\s*(\{\s*)?"?version"?: 1\b/m.test(text) && !text.startsWith('metadata:'),
  );

  it.each(whole.map((one) => [one.name, one] as const))('%s is valid', async (_, { text, language }) => {
    const cwd = makeFolder({ [`pannier.${language}`]: text });
    const config = await loadConfig({ kinds: BACKEND_KINDS, paths: ['.'], env: ENVIRONMENT, cwd });
    if (
      ![...config.outputs.values()].some(({ files }) =>
        [...files.values()].some(({ content }) => content.kind === 'template'),
      )
    )
      expect((await planOf(config, 0)).warnings).toEqual([]);
    expect(config.warnings).toEqual([]);
  });

  it.each(blocks.filter((one) => !whole.includes(one)).map((one) => [one.name, one] as const))(
    '%s is YAML, and a part of a configuration if it looks like one',
    (_, { text }) => {
      for (const document of parseAllDocuments(text)) {
        expect(document.errors).toEqual([]);
        const part = document.toJS() as unknown;
        if (typeof part !== 'object' || part === null || Array.isArray(part)) continue;
        if (!Object.keys(part).every((key) => SECTIONS.has(key))) continue;
        const { success, error } = configFile.safeParse({ version: 1, ...part });
        expect(success ? [] : error.issues).toEqual([]);
      }
    },
  );
});

describe('what the documentation names', () => {
  const keys = keyPaths(configFile);
  /** Keys of other agents, which docs/import.md names. */
  const theirs: ReadonlySet<string> = new Set(KNOWN_KEYS.map(({ key }) => key));
  const families = new Set(Object.keys(codeTable()).map((code) => code.split('_')[0]));

  it.each(pages())('%s names only configuration keys and error codes that exist', (page) => {
    const spans = [...readFileSync(page, 'utf8').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
    const named = spans.filter(
      (span) => /^\w+(\.[\w[\]]+)+$(?<!\.(yaml|json))/.test(span) && SECTIONS.has(span.split('.')[0] ?? ''),
    );
    const generic = named.map((key) => key.replace(/^(backends|secrets|outputs)\.(?!NAME\b)\w+/, '$1.NAME'));
    expect(generic.filter((key) => !keys.includes(key) && !theirs.has(key))).toEqual([]);
    const codes = spans.filter((span) => /^[A-Z]+(_[A-Z]+)+$/.test(span) && families.has(span.split('_')[0] ?? ''));
    expect(codes.filter((code) => !(code in codeTable()))).toEqual([]);
  });
});

describe('the links of the documentation', () => {
  it.each([...new Set([...pages(), ...globSync('*.md')])])('%s leads only to pages and headings that exist', (page) => {
    const lines = readFileSync(page, 'utf8').replaceAll(/^ *```.*?^ *```$/gms, '');
    for (const [, target = ''] of lines.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect([target, existsSync(file)]).toEqual([target, true]);
      if (heading !== undefined)
        expect([target, headingsOf(file)]).toEqual([target, expect.arrayContaining([heading])]);
    }
  });
});

/** The anchors that GitHub makes of a page's headings. */
function headingsOf(file: string): readonly string[] {
  const found = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...found].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
