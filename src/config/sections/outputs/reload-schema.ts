import * as z from 'zod/mini';
import { argv, bool, path, positiveDuration, signalName, text } from '../../scalars.ts';
import { http } from './reload-http-schema.ts';

/** The `comm` of a process, or the base name of its program. */
const processName = text.check(z.regex(/^[^/]+$/, { error: 'the name of a program without its path is expected' }));

/** `resolve-reload.ts` checks that exactly one key says which process gets the signal. */
const signal = z.strictObject({
  name: signalName,
  pidFile: z.optional(path),
  process: z.optional(processName),
  all: z.optional(bool),
  child: z.optional(bool),
});

/** A program that is run, never by a shell. */
export const command = z.strictObject({
  argv,
  timeout: z.optional(positiveDuration),
  captureOutput: z.optional(bool),
});

/**
 * Only the child of exec can be restarted. The key says so, since `restart` alone might be read as that of the agent.
 */
const restart = z.strictObject({ child: z.literal(true, { error: 'true is the only value' }) });

/** One step of a reload. `resolve-reload.ts` checks that it has exactly one of these keys. */
export const reload = z.strictObject({
  signal: z.optional(signal),
  http: z.optional(http),
  command: z.optional(command),
  restart: z.optional(restart),
});
