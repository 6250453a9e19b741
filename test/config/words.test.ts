import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { exportJsonSchema } from '../../src/config/json-schema.ts';
import { type JsonSchema, walkKeys } from '../../src/config/json-schema-shape.ts';
import { keyPaths } from '../../src/config/problems/schema-keys.ts';
import { configFileSchema } from '../../src/config/schema.ts';
import { loadKinds } from '../../src/config/sections/backends/schema.ts';
import { loadWords } from '../../src/config/words/all-words.ts';
import { exampleOf, literalDefault } from '../../src/config/words/words.ts';

const words = await loadWords(BACKEND_KINDS);
const schema = (await exportJsonSchema(BACKEND_KINDS)) as JsonSchema;
const ajv = new Ajv2020({ strict: false });

/** The schemas that stand at each path; options of a union may each have one. */
const schemas = new Map<string, JsonSchema[]>();
walkKeys(schema, (path, at) => schemas.set(path, [...(schemas.get(path) ?? []), at]));

const fits = (path: string, value: unknown) => (schemas.get(path) ?? []).every((at) => ajv.compile(at)(value));
const fitsOne = (path: string, value: unknown) => (schemas.get(path) ?? []).some((at) => ajv.compile(at)(value));

describe('the words of the keys', () => {
  it('are there for every key of the schema, and for no other', async () => {
    const paths = keyPaths(configFileSchema(await loadKinds(BACKEND_KINDS)));
    expect(Object.keys(words).sort()).toEqual([...paths].sort());
  });

  it('have an example for each key that is supported, which the schema accepts, and so it does the default', () => {
    const wrong: string[] = [];
    for (const [path, one] of Object.entries(words)) {
      if (one.type === undefined) continue;
      const standard = literalDefault(one);
      if (exampleOf(one) === undefined) wrong.push(`${path}: no example`);
      // A discriminator of one option accepts that option's value alone.
      if (!fitsOne(path, exampleOf(one))) wrong.push(`${path}: example`);
      if (!(one.examples ?? []).every((example) => fitsOne(path, example))) wrong.push(`${path}: examples`);
      if (standard !== undefined && !fits(path, standard)) wrong.push(`${path}: default ${String(standard)}`);
    }
    expect(wrong).toEqual([]);
  });

  it('are the description, the default and the examples of every key in the JSON Schema', () => {
    walkKeys(schema, (path, at) => {
      expect(at, path).toHaveProperty('description');
      expect(at, path).not.toHaveProperty('not');
      const { examples } = at as { examples?: readonly unknown[] };
      expect(examples, path).toEqual(words[path]?.examples);
    });
  });
});

describe('the JSON Schema', () => {
  it('is one that a strict validator takes, but for the words that editors know', () => {
    const strict = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
    strict.addVocabulary(['errorMessage', 'patternErrorMessage']);
    expect(strict.validate({ $ref: 'https://json-schema.org/draft/2020-12/schema' }, schema)).toBe(true);
    expect(() => strict.compile(schema)).not.toThrow();
  });
});
