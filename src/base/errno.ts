import { FileCallError } from './file-call.ts';

/**
 * The code of a failed system call, such as `ENOENT`; undefined for any other error, also for one with a code of Node's
 * own (`ERR_…`). The code is one word of a fixed list, so a message may show it. The rest of a foreign error may hold a
 * secret value.
 */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Codes that Pannier's own reads give, and that no manual page explains. */
const WORDS: Readonly<Record<string, string>> = { EFTYPE: 'it is not a regular file', EFBIG: 'it is too large' };

/** The same for a message: `unknown` when the error is none of a system call. */
export function errnoWord(error: unknown): string {
  const code = errnoOf(error) ?? 'unknown';
  if (error instanceof FileCallError && error.seen !== undefined) return `it ${error.seen}`;
  return WORDS[code] ?? code;
}
