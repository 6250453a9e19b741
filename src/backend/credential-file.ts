import { errnoOf } from '../base/errno.ts';
import { fail } from '../base/errors.ts';
import { FileCallError } from '../base/file-call.ts';
import { readFileInTime } from '../base/read-file.ts';
import { Secret } from '../base/secret.ts';

/** The largest file that is read; every credential is shorter. */
const MAX_BYTES = 1024 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a credential file. The content is not cached: the kubelet swaps a projected token under a symlink, other
 * programs write in place, so each login reads the file again. One final newline, which editors and `echo` add, is
 * dropped.
 *
 * @param place the configuration path of the key that names the file.
 * @throws PannierError AUTH_CREDENTIAL_UNREADABLE (missing, not permitted, not text), AUTH_CREDENTIAL_EMPTY.
 */
export async function readCredential(path: string, place: string, signal: AbortSignal): Promise<Secret> {
  const text = await readText(path, place, signal);
  const credential = text.replace(/\r?\n$/, '');
  if (credential.trim() === '') throw fail('AUTH_CREDENTIAL_EMPTY', place, `${path} is empty`);
  return Secret.text(credential);
}

async function readText(path: string, place: string, signal: AbortSignal): Promise<string> {
  try {
    return utf8.decode((await readFileInTime(path, { maxBytes: MAX_BYTES, signal })).bytes);
  } catch (error) {
    if (signal.aborted) throw fail('CANCELLED', place, 'the login was cancelled');
    throw fail('AUTH_CREDENTIAL_UNREADABLE', place, `${path} ${whyUnreadable(error)}`);
  }
}

function whyUnreadable(error: unknown): string {
  const code = errnoOf(error);
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'EISDIR') return 'is a directory';
  if (code === 'EFTYPE') return 'is not a regular file';
  if (error instanceof FileCallError && error.seen !== undefined) return error.seen;
  if (code === 'ETIMEDOUT') return 'was not read in time: the file system hangs';
  if (code === undefined) return 'is not text'; // decoding failed, not a system call
  return `cannot be read (${code})`;
}
