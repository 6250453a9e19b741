import * as z from 'zod/mini';
import { choice, path } from '../../scalars.ts';

/** The section `log`. */
export const log = z.strictObject({
  level: z.optional(choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'])),
  format: z.optional(choice(['auto', 'json', 'pretty'])),
  schema: z.optional(choice(['pannier', 'ecs', 'otel'])),
  file: z.optional(path),
  auditFile: z.optional(path),
});
