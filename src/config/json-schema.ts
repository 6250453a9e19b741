import * as z from 'zod/mini';
import { chooseBy, type JsonSchema, requireOneOf, walkKeys, withoutRefused } from './json-schema-shape.ts';
import { DURATION_EXPECTED, MODE_EXPECTED, OTHER_NAME, POSITIVE_EXPECTED, SECRET_NAME } from './rules.ts';
import { duration, mode, otherName, positiveDuration, secretName } from './scalars.ts';
import { configFileSchema } from './schema.ts';
import type { BackendKindConfig } from './sections/backends/kind.ts';
import { loadKinds } from './sections/backends/schema.ts';
import { admin } from './sections/listeners/admin-schema.ts';
import { api, apiListener } from './sections/listeners/api-schema.ts';
import { verify } from './sections/outputs/check-schema.ts';
import { reload } from './sections/outputs/reload-schema.ts';
import { outputFile } from './sections/outputs/schema.ts';
import { loadWords } from './words/all-words.ts';
import { type KeyWords, literalDefault, plain } from './words/words.ts';

/**
 * Maps that must have exactly one of some keys. The loader checks that itself, for better messages than a schema has.
 */
const EXACTLY_ONE = new Map<z.core.$ZodType, readonly string[]>([
  [outputFile, ['template', 'content', 'format']],
  [reload, ['signal', 'http', 'command', 'restart']],
  [verify, ['http', 'command']],
  [admin, ['listen', 'socket']],
  [api, ['socket', 'listen', 'listeners']],
  [apiListener, ['socket', 'listen']],
]);

/** What editors say about a value that does not fit, in the place of the type or the pattern. */
const EXPECTED = new Map<z.core.$ZodType, string>([
  [duration, DURATION_EXPECTED],
  [positiveDuration, POSITIVE_EXPECTED],
  [mode, MODE_EXPECTED],
  [secretName, SECRET_NAME.expected],
  [otherName, OTHER_NAME.expected],
]);

/**
 * The schema of one configuration file as JSON Schema (draft 2020-12), for editors and for `pannier schema`, with the
 * words of each key. It accepts every configuration that the loader accepts, except a reference in the place of a
 * number or a boolean. Import this file when it is first needed, since no start-up does.
 */
export async function exportJsonSchema(kinds: readonly BackendKindConfig[]): Promise<object> {
  const [file, words] = await Promise.all([loadKinds(kinds).then(configFileSchema), loadWords(kinds)]);
  const secret = secretIn(file);
  const requestKeys = kinds.flatMap((kind) => kind.requestKeys);
  const schema = z.toJSONSchema(file, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ zodSchema, jsonSchema }) => {
      const expected = EXPECTED.get(zodSchema);
      if (expected !== undefined) Object.assign(jsonSchema, { errorMessage: expected, patternErrorMessage: expected });
      const { discriminator } = zodSchema._zod.def as { discriminator?: string };
      if (discriminator !== undefined) chooseBy(discriminator, jsonSchema as JsonSchema);
      const keys = zodSchema === secret ? requestKeys : EXACTLY_ONE.get(zodSchema);
      if (keys !== undefined) requireOneOf(keys, jsonSchema as JsonSchema, zodSchema === secret ? kinds : []);
    },
  });
  const shaped = withoutRefused(schema as JsonSchema);
  walkKeys(shaped, (path, key) => describe(key, words[path]));
  return { title: 'Pannier configuration', ...shaped };
}

/** The schema of one secret. */
function secretIn(file: ReturnType<typeof configFileSchema>): z.core.$ZodType {
  return file.shape.secrets.def.innerType.def.valueType;
}

/** Adds the words of a key, as hovers and completions show them. */
function describe(schema: JsonSchema, words: KeyWords | undefined): void {
  if (words === undefined) return;
  const standard = literalDefault(words);
  const inWords = words.default === undefined || standard !== undefined ? [] : [`Default: ${plain(words.default)}.`];
  const isRequired = words.default?.startsWith('required') === true;
  const text = plain(words.does);
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  Object.assign(schema, {
    description: [sentence, ...(isRequired ? [] : inWords)].join(' '),
    ...(standard === undefined ? {} : { default: standard }),
    ...(words.examples === undefined ? {} : { examples: words.examples }),
  });
}
