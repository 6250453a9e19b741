import { constants } from 'node:os';
import * as z from 'zod/mini';
import { makeNearest } from '../nearest.ts';
import { bool, notYet, path, positiveDuration, text } from './scalars.ts';
import { http } from './section-reload-http.ts';

/** Nobody can handle these, so nothing is taken up by them. */
const USELESS: ReadonlySet<string> = new Set(['SIGKILL', 'SIGSTOP']);

/** With or without SIG. */
const signalName = text.check(
  z.refine((value) => wrongSignal(value) === undefined, { error: ({ input }) => wrongSignal(input as string) }),
);

/** `comm` of a process, or the base name of its program: no path. */
const processName = text.check(z.regex(/^[^/]+$/, { error: 'the name of a program without its path is wanted' }));

/** That exactly one key says which process is checked in `resolve-reload.ts`. */
const signal = z.strictObject({
  name: signalName,
  pidFile: z.optional(path),
  process: z.optional(processName),
  all: z.optional(bool),
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
  http: z.optional(http),
  command: z.optional(command),
});

function wrongSignal(name: string): string | undefined {
  const full = name.startsWith('SIG') ? name : `SIG${name}`;
  if (USELESS.has(full)) return `no program can handle ${full}; SIGHUP is the usual one`;
  if (Object.hasOwn(constants.signals, full)) return undefined;
  const near = makeNearest(Object.keys(constants.signals))(full);
  return near === undefined ? 'a signal is wanted, such as SIGHUP' : `the nearest signal is ${near}`;
}
