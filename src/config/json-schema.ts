import * as z from 'zod/mini';
import { configFile } from './schema.ts';

/** The schema of one configuration file as JSON Schema (draft 2020-12), for editors and for `pannier schema`. */
export async function exportJsonSchema(): Promise<object> {
  const schema = z.toJSONSchema(configFile, { io: 'input', target: 'draft-2020-12' });
  return { title: 'Pannier configuration', ...schema };
}
