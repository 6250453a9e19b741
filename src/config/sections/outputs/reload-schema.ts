import * as z from 'zod/mini';
import { argv, bool, path, positiveDuration, signalName, text } from '../../scalars.ts';
import { http } from './reload-http-schema.ts';

/** `comm` of a process, or the base name of its program: no path. */
const processName = text.check(z.regex(/^[^/]+$/, { error: 'the name of a program without its path is expected' }));

/** That exactly one key says which process is checked in `resolve-reload.ts`. */
const signal = z.strictObject({
  name: signalName,
  pidFile: z.optional(path),
  process: z.optional(processName),
  all: z.optional(bool),
  child: z.optional(bool),
});

const command = z.strictObject({
  argv,
  timeout: z.optional(positiveDuration),
  captureOutput: z.optional(bool),
});

/** There is but one that could be restarted; said, so that nobody takes it for the agent. */
const restart = z.strictObject({ child: z.literal(true, { error: 'true is the only value' }) });

/** One way to make the application take a generation up. That it is exactly one is checked in `resolve-reload.ts`. */
export const reload = z.strictObject({
  signal: z.optional(signal),
  http: z.optional(http),
  command: z.optional(command),
  restart: z.optional(restart),
});
