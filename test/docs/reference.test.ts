import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { keyPaths } from '../../src/config/problems/schema-keys.ts';
import { configFile } from '../../src/config/schema.ts';
import { referencePage } from './reference-page.ts';

it('docs/reference.md is what the command line and the schema make of it (npm run docs writes it)', async () => {
  expect(readFileSync('docs/reference.md', 'utf8')).toBe(await referencePage());
});

it('it has every key of the schema, with its type', async () => {
  const rows = [...(await referencePage()).matchAll(/^\| `([a-z][\w.[\]-]+)` \| ([^|]+) \|/gm)];
  expect(rows.map(([, key]) => key).sort()).toEqual([...keyPaths(configFile)].sort());
  expect(rows.filter(([, , type]) => type === 'any')).toEqual([]);
});
