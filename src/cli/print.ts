import { errnoWord } from '../base/errno.ts';
import { fail } from '../base/errors.ts';

/** Undefined until the first text is printed. */
let hasReader: boolean | undefined;

/**
 * Writes to standard output. Resolves when all of it is written, since the process ends right after, to whether anybody
 * still reads: a reader that has closed the pipe, as `head` does, wants no more, which is no failure.
 * @throws PannierError STDOUT when the disk is full, or writing fails otherwise.
 */
export function print(text: string | Uint8Array): Promise<boolean> {
  // Once, since each call would add one; the callback gets the error too.
  if (hasReader === undefined) process.stdout.on('error', () => {});
  hasReader ??= true;
  if (!hasReader) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error && errnoWord(error) !== 'EPIPE') return reject(unwritten(error));
      hasReader = !error;
      resolve(hasReader);
    });
  });
}

const WHY: Readonly<Record<string, string>> = { ENOSPC: 'the disk is full' };

function unwritten(error: Error): Error {
  const code = errnoWord(error);
  const why = WHY[code] ?? `it cannot be written (${code})`;
  return fail('STDOUT', 'standard output', why);
}
