import * as z from 'zod/mini';
import { bool, text } from '../config/scalars.ts';

/** Keys of a certificate that every kind of backend that issues some has, each optional. */

const BEFORE_EXPECTED = 'a duration or a share of the life is expected, such as 24h or 30%';
export const renewBefore = z.optional(
  text.check(z.regex(/^(?:(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+|[1-9]\d?(?:\.\d+)?%)$/, { error: BEFORE_EXPECTED })),
);

const WINDOW_EXPECTED = 'hours are expected, such as 02:00-04:00, Sun 02:00-04:00 or Mon-Fri 22:00-01:00 UTC';
export const renewAt = z.optional(
  text.check(
    z.regex(
      /^(?:(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat)(?:[,-](?:Sun|Mon|Tue|Wed|Thu|Fri|Sat))* )?(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d(?: UTC)?$/,
      { error: WINDOW_EXPECTED },
    ),
  ),
);

/** Kinds of keys that are made on this machine. */
const keyOfKind = z.strictObject({
  local: z.enum(['rsa', 'ec', 'ed25519'], { error: 'rsa, ec or ed25519 is expected' }),
  bits: z.optional(z.literal([2048, 3072, 4096], { error: '2048, 3072 or 4096 is expected' })),
  curve: z.optional(z.enum(['P-256', 'P-384', 'P-521'], { error: 'P-256, P-384 or P-521 is expected' })),
  reuse: z.optional(bool),
});

/** `local`, or what kind of key is made on this machine. */
export const localKey = z.optional(
  z.union([z.literal('local'), keyOfKind], {
    error:
      'local is expected, or a map with local: rsa, ec or ed25519, such as { local: ec, curve: P-384, reuse: true }',
  }),
);

export type LocalKeyShape = z.infer<typeof localKey>;

export const privateKeyFormat = z.optional(
  z.enum(['pkcs8', 'traditional'], { error: 'pkcs8 or traditional is expected' }),
);
