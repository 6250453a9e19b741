import { errnoWord } from '../base/errno.ts';
import { fail } from '../base/errors.ts';

/**
 * Writes to standard output. Resolves when it is written: the process ends right after.
 * @throws PannierError STDOUT: the disk is full, or whoever read has gone.
 */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.once('error', () => {}); // the callback hears of it too
    process.stdout.write(text, (error) => (error ? reject(unwritten(error)) : resolve()));
  });
}

const WHY: Readonly<Record<string, string>> = { ENOSPC: 'the disk is full', EPIPE: 'nobody reads it any more' };

function unwritten(error: Error): Error {
  const code = errnoWord(error);
  const why = WHY[code] ?? `it cannot be written (${code})`;
  return fail('STDOUT', 'standard output', why);
}
