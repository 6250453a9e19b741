import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { convertConfig } from '../../src/import/convert-config.ts';
import { readConfigs } from '../../src/import/read-config.ts';
import { FUNCTIONS } from '../../src/import/template/functions.ts';
import { FUNCTION_EXAMPLES, importPage } from './import-page.ts';

const page = readFileSync('docs/import.md', 'utf8');

it('docs/import.md has the tables that npm run docs makes of the code', () => {
  expect(page).toBe(importPage(page));
});

it('docs/import.md shows what import makes of its example', async () => {
  const [, hcl = ''] = /```hcl\n([\s\S]*?)```/.exec(page) ?? [];
  const [, yaml = ''] = /becomes\n\n```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const dir = await mkdtemp(join(tmpdir(), 'pannier-docs-import-'));
  try {
    const file = join(dir, 'agent.hcl');
    await writeFile(file, hcl);
    const read = await readConfigs([file], async () => new Uint8Array());
    if ('unreadable' in read) throw new Error(read.unreadable[0]?.seen);
    const options = { readSource: async () => ({ problem: '' }), sink: false, templatesBeside: false };
    const made = await convertConfig(read.items, [file], { ...options, keepsCredentials: false });
    expect(made.problems).toEqual([]);
    expect(made.yaml.replace(/^(?:#.*\n)+\n/, '')).toBe(yaml);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

it('each example of docs/import.md is of a function that there is', () => {
  expect(Object.keys(FUNCTION_EXAMPLES).filter((name) => !Object.hasOwn(FUNCTIONS, name))).toEqual([]);
});
