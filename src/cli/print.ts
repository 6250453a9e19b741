import { errnoWord } from '../base/errno.ts';
import { fail } from '../base/errors.ts';
import { printableLines } from '../base/printable.ts';

/** Undefined until the first text is printed. */
let hasReader: boolean | undefined;

/**
 * Writes to standard output: exactly this to a pipe or a file, and to a terminal what cannot control it. Resolves when
 * all of it is written, since the process ends right after, to whether anybody still reads: a reader that has closed
 * the pipe, as `head` does, wants no more, which is no failure.
 * @throws PannierError STDOUT when the disk is full, or writing fails otherwise.
 */
export function print(text: string | Uint8Array): Promise<boolean> {
  return write(process.stdout.isTTY ? printableLines(asText(text)) : text);
}

/** The same for text that is for people wherever it goes: tables, sentences. */
export function printLines(text: string): Promise<boolean> {
  return write(printableLines(text));
}

/** Writes lines for people to standard error. */
export function tell(text: string): void {
  process.stderr.write(printableLines(text));
}

/** Whether a terminal would be shown something else than this. */
export const isChangedByTerminal = (text: string | Uint8Array): boolean =>
  process.stdout.isTTY === true && printableLines(asText(text)) !== asText(text);

const asText = (text: string | Uint8Array): string => (typeof text === 'string' ? text : Buffer.from(text).toString());

function write(text: string | Uint8Array): Promise<boolean> {
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
