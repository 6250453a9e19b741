import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { exportJsonSchema } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { keyPaths } from '../../src/config/problems/schema-keys.ts';
import { configFileSchema } from '../../src/config/schema.ts';
import { loadKinds } from '../../src/config/sections/backends/schema.ts';
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

  it('says "not yet supported" for exactly the keys that are refused with these words', async () => {
    const refused = new Set(refusedPaths(await exportJsonSchema(BACKEND_KINDS), ''));
    for (const { key, rest } of rows)
      expect(`${key}: ${rest.includes('*not yet supported*')}`).toBe(`${key}: ${refused.has(key)}`);
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
    expect(JSON.stringify(schema)).toContain('"oneOf":[{"required":["kv"]}');
  });
});

/** Paths whose schema accepts no value. */
function refusedPaths(schema: unknown, prefix: string): string[] {
  const {
    properties = {},
    additionalProperties,
    items,
    oneOf = [],
    not,
  } = schema as Record<string, object> & { oneOf?: object[] };
  if (not !== undefined) return [prefix];
  const join = (key: string) => (prefix === '' ? key : `${prefix}.${key}`);
  return [
    ...Object.entries(properties).flatMap(([key, below]) => refusedPaths(below, join(key))),
    ...(typeof additionalProperties === 'object' ? refusedPaths(additionalProperties, join('NAME')) : []),
    ...(items === undefined ? [] : refusedPaths(items, `${prefix}[]`)),
    ...oneOf.flatMap((option) => refusedPaths(option, prefix)),
  ];
}
