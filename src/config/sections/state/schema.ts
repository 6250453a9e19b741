import * as z from 'zod/mini';
import { notYet, path, positiveDuration, text } from '../../scalars.ts';

/** The section `state`. */
export const state = z.strictObject({
  path,
  keyFile: z.optional(path),
  keyEnv: z.optional(text),
  transit: notYet(),
  maxAge: z.optional(positiveDuration),
});
