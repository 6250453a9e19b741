import * as z from 'zod/mini';
import { configFile } from './schema.ts';
import { admin } from './sections/listeners/admin-schema.ts';
import { api, apiListener } from './sections/listeners/api-schema.ts';
import { reload } from './sections/outputs/reload-schema.ts';
import { outputFile } from './sections/outputs/schema.ts';
import { secret } from './sections/secrets/schema.ts';

/** Maps of which exactly one key says what the thing is; the loader checks that with better words than a schema has. */
const EXACTLY_ONE = new Map<z.core.$ZodType, readonly string[]>([
  [secret, ['kv', 'read', 'write', 'certificate', 'key', 'secretId', 'parameter', 'prefix']],
  [outputFile, ['template', 'content', 'format']],
  [reload, ['signal', 'http', 'command', 'restart']],
  [admin, ['listen', 'socket']],
  [api, ['socket', 'listen', 'listeners']],
  [apiListener, ['socket', 'listen']],
]);

/**
 * The schema of one configuration file as JSON Schema (draft 2020-12), for editors and for `pannier schema`. It takes
 * every configuration the loader takes, except a reference in the place of a number or a boolean. Import this file on
 * first need: nothing at start-up wants it.
 */
export async function exportJsonSchema(): Promise<object> {
  const schema = z.toJSONSchema(configFile, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ zodSchema, jsonSchema }) => {
      const keys = EXACTLY_ONE.get(zodSchema);
      if (keys !== undefined) jsonSchema.oneOf = keys.map((key) => ({ required: [key] }));
    },
  });
  return { title: 'Pannier configuration', ...schema };
}
