import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { exportJsonSchema } from '../../src/config/json-schema.ts';
import { type JsonSchema, walkKeys } from '../../src/config/json-schema-shape.ts';
import { loadConfig } from '../../src/config/load.ts';
import { keyPaths } from '../../src/config/problems/schema-keys.ts';
import { configFileSchema } from '../../src/config/schema.ts';
import { loadKinds } from '../../src/config/sections/backends/schema.ts';
import { configurationPage } from '../docs/configuration-page.ts';
import { makeFolder } from './config.helpers.ts';

const configFile = configFileSchema(await loadKinds(BACKEND_KINDS));

const page = readFileSync('docs/configuration.md', 'utf8');
const rows = [...page.matchAll(/^\| `([\w.[\]-]+)` \|(.*)$/gm)].map(([, key, rest]) => ({
  key: key as string,
  rest: rest as string,
}));

describe('docs/configuration.md', () => {
  it('lists every key of the schema once, and no other key', () => {
    const paths = keyPaths(configFile);
    expect(paths.length).toBeGreaterThan(80);
    expect(rows.map(({ key }) => key).sort()).toEqual([...paths].sort());
  });

  it('says "not yet supported" for exactly the keys that the JSON Schema does not offer', async () => {
    const offered = new Set<string>();
    walkKeys((await exportJsonSchema(BACKEND_KINDS)) as JsonSchema, (path) => offered.add(path));
    for (const { key, rest } of rows)
      expect(`${key}: ${rest.includes('*not yet supported*')}`).toBe(`${key}: ${!offered.has(key)}`);
  });

  it('has the words of pannier explain in its tables', async () => {
    expect(page).toBe(await configurationPage(page));
  });

  it.each(
    [...page.matchAll(/^```(yaml|json)\n(.*?)^```$/gms)].map(([, kind, text]) => [kind as string, text as string]),
  )('has examples that load (%s)', async (kind, text) => {
    const cwd = makeFolder({ [`example.${kind}`]: text });
    const config = await loadConfig({ kinds: BACKEND_KINDS, paths: ['.'], env: {}, cwd });
    expect(config.outputs.size).toBeGreaterThan(0);
    expect(config.warnings).toEqual([]);
  });
});

describe('the JSON Schema', () => {
  it('is of draft 2020-12 and refuses unknown keys', async () => {
    const schema = await exportJsonSchema(BACKEND_KINDS);
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      additionalProperties: false,
    });
  });
});
