import * as z from 'zod/mini';
import { configFileSchema } from './schema.ts';
import type { BackendKindConfig } from './sections/backends/kind.ts';
import { loadKinds } from './sections/backends/schema.ts';
import { admin } from './sections/listeners/admin-schema.ts';
import { api, apiListener } from './sections/listeners/api-schema.ts';
import { reload } from './sections/outputs/reload-schema.ts';
import { outputFile } from './sections/outputs/schema.ts';

/**
 * Maps that must have exactly one of some keys. The loader checks that itself, for better messages than a schema has.
 */
const EXACTLY_ONE = new Map<z.core.$ZodType, readonly string[]>([
  [outputFile, ['template', 'content', 'format']],
  [reload, ['signal', 'http', 'command', 'restart']],
  [admin, ['listen', 'socket']],
  [api, ['socket', 'listen', 'listeners']],
  [apiListener, ['socket', 'listen']],
]);

/**
 * The schema of one configuration file as JSON Schema (draft 2020-12), for editors and for `pannier schema`. It accepts
 * every configuration that the loader accepts, except a reference in the place of a number or a boolean. Import this
 * file when it is first needed, since no start-up does.
 */
export async function exportJsonSchema(kinds: readonly BackendKindConfig[]): Promise<object> {
  const file = configFileSchema(await loadKinds(kinds));
  const requestKeys = kinds.flatMap((kind) => kind.requestKeys);
  const schema = z.toJSONSchema(file, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ zodSchema, jsonSchema }) => {
      const keys = zodSchema === secretIn(file) ? requestKeys : EXACTLY_ONE.get(zodSchema);
      if (keys !== undefined) jsonSchema.oneOf = keys.map((key) => ({ required: [key] }));
    },
  });
  return { title: 'Pannier configuration', ...schema };
}

/** The schema of one secret. */
function secretIn(file: ReturnType<typeof configFileSchema>): z.core.$ZodType {
  return file.shape.secrets.def.innerType.def.valueType;
}
