import * as z from 'zod/mini';
import { choice } from './scalars.ts';

export const log = z.strictObject({
  level: z.optional(choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'])),
  format: z.optional(choice(['auto', 'json', 'pretty'])),
});
