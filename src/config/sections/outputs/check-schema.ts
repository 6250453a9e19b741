import * as z from 'zod/mini';
import { positiveDuration } from '../../scalars.ts';
import { http } from './reload-http-schema.ts';
import { command } from './reload-schema.ts';

/** What is run on a candidate before it is published. */
export const check = z.strictObject({ command });

/** How the application is asked after a reload: `resolve-check.ts` checks that exactly one way is given. */
export const verify = z.strictObject({
  http: z.optional(http),
  command: z.optional(command),
  within: z.optional(positiveDuration),
});
