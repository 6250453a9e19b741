import { errnoWord } from '../base/errno.ts';
import { fail } from '../base/errors.ts';

/**
 * Writes to standard output. Resolves when all of it is written, since the process ends right after.
 * @throws PannierError STDOUT when the disk is full, the reader has closed the pipe, or writing fails otherwise.
 */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.once('error', () => {}); // the callback gets the error too
    process.stdout.write(text, (error) => (error ? reject(unwritten(error)) : resolve()));
  });
}

const WHY: Readonly<Record<string, string>> = { ENOSPC: 'the disk is full', EPIPE: 'the reader has closed the pipe' };

function unwritten(error: Error): Error {
  const code = errnoWord(error);
  const why = WHY[code] ?? `it cannot be written (${code})`;
  return fail('STDOUT', 'standard output', why);
}
