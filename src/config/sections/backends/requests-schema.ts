import * as z from 'zod/mini';
import { count, duration } from '../../scalars.ts';

/** How many requests the agent sends to a backend, and when the first ones. */
export const requests = z.strictObject({
  perSecond: z.optional(count),
  burst: z.optional(count),
  startSpread: z.optional(duration),
});
