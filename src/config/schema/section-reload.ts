import * as z from 'zod/mini';
import { notYet, path, positiveDuration, text } from './scalars.ts';

/** pidFile is required today; it stays optional here because another key will say which process instead. */
const signal = z.strictObject({
  name: text,
  pidFile: z.optional(path),
  process: notYet(),
  all: notYet(),
  child: notYet(),
});

const command = z.strictObject({
  argv: z
    .array(z.string({ error: 'text is wanted' }).check(z.regex(/^[^\0]*$/, { error: 'it must not hold NUL' })))
    .check(z.minLength(1, { error: 'the program and its arguments are wanted' })),
  timeout: z.optional(positiveDuration),
});

/** One way to make the application take a generation up. That it is exactly one is checked in `resolve-reload.ts`. */
export const reload = z.strictObject({
  signal: z.optional(signal),
  http: notYet(),
  command: z.optional(command),
});
