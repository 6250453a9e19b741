import { errnoOf, errnoWord } from '../base/errno.ts';
import { readFileInTime } from '../base/read-file.ts';

/** The size of the largest file that one value is read from, by a reference or as a token. */
const MAX_VALUE_BYTES = 2 ** 20;

/** Says why a file could not be read as text. */
export interface UnreadFile {
  readonly why: string;
  /** It is larger than is read. */
  readonly isTooLarge: boolean;
}

export interface CappedOptions {
  /** A longer file is not read, so that a device or a wrong path does not fill the memory; 1 MiB when absent. */
  readonly maxBytes?: number;
  /** Whether a pipe is read too, up to its end; true when absent. */
  readonly pipes?: boolean;
}

/** The text of a file, which must be UTF-8, without a byte order mark. Never throws. */
export async function readCapped(
  path: string,
  { maxBytes = MAX_VALUE_BYTES, pipes = true }: CappedOptions = {},
): Promise<string | UnreadFile> {
  try {
    const { bytes } = await readFileInTime(path, { maxBytes, pipes });
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return { why: describeSystemError(error), isTooLarge: errnoOf(error) === 'EFBIG' };
  }
}

/** Why a file could not be read. An error of no system call comes from decoding, so the file is not UTF-8. */
export function describeSystemError(error: unknown): string {
  const code = errnoOf(error);
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'there is no permission to read it';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'EFTYPE' || code === 'EFBIG') return errnoWord(error);
  if (code === 'ETIMEDOUT') return 'it was not read in time: the file system hangs, or no program writes to the pipe';
  return code === undefined ? 'it is not UTF-8 text' : `it cannot be read (${code})`;
}
