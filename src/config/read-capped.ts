import { errnoOf } from '../base/errno.ts';
import { readFileInTime } from '../base/read-file.ts';

/** Largest file a configuration is read from. */
export const MAX_BYTES = 1024 * 1024;

/** Why a file gave no text, in our words. */
export interface UnreadFile {
  readonly why: string;
}

/**
 * Text of a file, strictly UTF-8, a byte order mark dropped. Reads no further than `MAX_BYTES`, so that neither a
 * device nor a wrong path fills the memory. Unless `only` is `file` a pipe is read too, and waited for.
 */
export async function readCapped(path: string, only: 'file' | 'any' = 'any'): Promise<string | UnreadFile> {
  try {
    const { bytes } = await readFileInTime(path, { maxBytes: MAX_BYTES, pipes: only === 'any' });
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return { why: describeSystemError(error) };
  }
}

/** The error of a system call in words; `not UTF-8 text` is what is left when reading worked. */
export function describeSystemError(error: unknown): string {
  const code = errnoOf(error);
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'no permission to read it';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'EFTYPE') return 'it is no regular file';
  if (code === 'EFBIG') return 'larger than 1 MiB';
  if (code === 'ETIMEDOUT') return 'reading it takes too long: the file system hangs, or nobody writes to the pipe';
  return code === undefined ? 'not UTF-8 text' : `cannot be read (${code})`;
}
