import * as z from 'zod/mini';
import { text } from '../../scalars.ts';

/** The section `traces`. */
export const traces = z.strictObject({
  endpoint: z.optional(text),
  service: z.optional(text),
});
