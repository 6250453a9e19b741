import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { keyPaths } from '../../src/config/problems/schema-keys.ts';
import { configFileSchema } from '../../src/config/schema.ts';
import { loadKinds } from '../../src/config/sections/backends/schema.ts';
import { referencePage } from './reference-page.ts';

const configFile = configFileSchema(await loadKinds(BACKEND_KINDS));

it('docs/reference.md is what npm run docs makes of the command line and the schema', async () => {
  expect(readFileSync('docs/reference.md', 'utf8')).toBe(await referencePage());
});

it('docs/reference.md has every key of the schema, with its type', async () => {
  const rows = [...(await referencePage()).matchAll(/^\| `([a-z][\w.[\]-]+)` \| ([^|]+) \|/gm)];
  expect(rows.map(([, key]) => key).sort()).toEqual([...keyPaths(configFile)].sort());
  expect(rows.filter(([, , type]) => type === 'any')).toEqual([]);
});
