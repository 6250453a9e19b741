import { BACKEND_KINDS } from '../backend/registry.ts';
import { print } from './print.ts';

/** `pannier schema`: the JSON Schema of a configuration file, for editors. Returns the exit status. */
export async function schemaCommand(): Promise<number> {
  const { exportJsonSchema } = await import('../config/json-schema.ts');
  await print(`${JSON.stringify(await exportJsonSchema(BACKEND_KINDS), null, 2)}\n`);
  return 0;
}
