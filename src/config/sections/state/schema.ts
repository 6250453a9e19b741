import * as z from 'zod/mini';
import { path, positiveDuration, text } from '../../scalars.ts';

/** The section `state`. */
export const state = z.strictObject({
  path,
  keyFile: z.optional(path),
  keyEnv: z.optional(text),
  transit: z.optional(z.strictObject({ backend: text, mount: z.optional(text), key: text })),
  maxAge: z.optional(positiveDuration),
});
