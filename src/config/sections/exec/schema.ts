import * as z from 'zod/mini';
import { argv, bool, choice, duration, signalName, text } from '../../scalars.ts';
import { keyOptions, sources } from '../outputs/schema.ts';

/** The child of `pannier exec`. `resolve.ts` checks the names of variables, and which keys go together. */
export const exec = z.strictObject({
  command: z.optional(argv),
  from: z.optional(sources),
  ...keyOptions,
  names: z.optional(choice(['any'])),
  env: z.optional(z.record(z.string(), z.string({ error: 'text is expected' }))),
  onChange: z.optional(choice(['restart', 'signal', 'none'])),
  signal: z.optional(signalName),
  stopSignal: z.optional(signalName),
  grace: z.optional(duration),
  onExit: z.optional(choice(['end', 'restart'])),
  quiet: z.optional(duration),
  maxWait: z.optional(duration),
  spread: z.optional(duration),
  pristine: z.optional(bool),
  inherit: z.optional(z.array(text)),
});
