import { errnoOf } from '../base/errno.ts';
import { readFileInTime } from '../base/read-file.ts';

/** The size of the largest file that a configuration is read from. */
export const MAX_BYTES = 1024 * 1024;

/** Says why a file could not be read as text. */
export interface UnreadFile {
  readonly why: string;
}

/**
 * The text of a file, which must be UTF-8, without a byte order mark. It reads at most `MAX_BYTES`, so that a device or
 * a wrong path does not fill the memory. Unless `only` is `file`, it also reads a pipe, up to its end. Never throws.
 */
export async function readCapped(path: string, only: 'file' | 'any' = 'any'): Promise<string | UnreadFile> {
  try {
    const { bytes } = await readFileInTime(path, { maxBytes: MAX_BYTES, pipes: only === 'any' });
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return { why: describeSystemError(error) };
  }
}

/** Why a file could not be read. An error of no system call comes from decoding, so the file is not UTF-8. */
export function describeSystemError(error: unknown): string {
  const code = errnoOf(error);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'there is no permission to read it';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'EFTYPE') return 'it is not a regular file';
  if (code === 'EFBIG') return 'it is larger than 1 MiB';
  if (code === 'ETIMEDOUT') return 'it was not read in time: the file system hangs, or no program writes to the pipe';
  return code === undefined ? 'it is not UTF-8 text' : `it cannot be read (${code})`;
}
