import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chartPage, readSchema, readValues, type ValueSchema } from '../docs/chart-page.ts';
import { CHART } from './rendered.ts';

const read = (name: string) => readFileSync(`${CHART}/${name}`, 'utf8');
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Each map of the schema whose keys are named, by its path. */
function mapsOf(schema: ValueSchema, path = ''): [string, ValueSchema][] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, one]) => mapsOf(one, `${path}.${key}`));
  const inItems = schema.items === undefined ? [] : mapsOf(schema.items, `${path}[]`);
  return [...(schema.properties === undefined ? [] : [[path, schema] as [string, ValueSchema]]), ...below, ...inItems];
}

describe('the chart of the injector', () => {
  it('has the version of the package, as chart and as application', () => {
    expect(parse(read('Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });

  it('README.md has the table that npm run docs makes of the values', () => {
    expect(read('README.md')).toBe(chartPage(read('README.md')));
  });

  it('the schema of the values is closed, and says what each key means', () => {
    for (const [path, { additionalProperties }] of mapsOf(readSchema())) {
      expect([path, additionalProperties]).toEqual([path, false]);
    }
    const described = (schema: ValueSchema, values: unknown, path: string): void => {
      for (const [key, one] of Object.entries(schema.properties ?? {})) {
        const value = (values as Record<string, unknown> | undefined)?.[key];
        const isOwn = path.startsWith('.resources.') || path.endsWith('Selector') || path === '.affinity';
        if (!isOwn) expect([`${path}.${key}`, one.description]).toEqual([`${path}.${key}`, expect.any(String)]);
        if (one.type === 'object') described(one, value, `${path}.${key}`);
      }
    };
    described(readSchema(), readValues(), '');
  });

  it('values.yaml has each key of the schema', () => {
    const { global: _, ...keys } = readSchema().properties ?? {};
    expect(Object.keys(readValues()).sort()).toEqual(Object.keys(keys).sort());
  });

  it('no template asks a cluster, the clock or chance, so that two renders are the same without a cluster', () => {
    const forbidden =
      /\b(?:lookup|genCA|genSelfSignedCert|genSignedCert|genPrivateKey|rand\w+|uuidv4|now|date|ago|env|getHostByName|derivePassword|encryptAES|bcrypt|htpasswd|Capabilities|Revision|IsInstall|IsUpgrade)\b/;
    const wrong = globSync(`${CHART}/templates/*`).flatMap((file) => {
      const actions = readFileSync(file, 'utf8').match(/\{\{-?(?!\/\*)[\s\S]*?\}\}/g) ?? [];
      return actions.filter((one) => forbidden.test(one)).map((one) => `${file}: ${one}`);
    });
    expect(wrong).toEqual([]);
  });
});
