import * as z from 'zod/mini';
import { choice, path, text } from '../../scalars.ts';

/** The section `log`. */
export const log = z.strictObject({
  level: z.optional(choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'])),
  format: z.optional(choice(['auto', 'json', 'pretty'])),
  schema: z.optional(choice(['pannier', 'ecs', 'otel'])),
  file: z.optional(path),
  auditFile: z.optional(path),
  auditTo: z.optional(text),
  otlp: z.optional(
    z.union([z.boolean(), z.strictObject({ endpoint: z.optional(text) })], {
      error: 'true, or an object with an endpoint, is expected',
    }),
  ),
});
