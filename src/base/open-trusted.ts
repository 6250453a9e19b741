import { constants, readlinkSync } from 'node:fs';
import { type FileHandle, open, readlink, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  ForeignLinkError,
  type HeldFolder,
  hasProcFd,
  holdEntry,
  holdFolder,
  isOwn,
  isPrivate,
  MAX_LINKS,
  mayOthersWrite,
  PROC,
} from './held-folder.ts';

/**
 * Opens a file, and follows symlinks only where `holdFolder` does: in a folder that other users can write, the file
 * itself must be there. A file with several names (hard links) is refused there like a symlink, since another user may
 * have linked a file from elsewhere.
 * @throws ForeignLinkError; errors of system calls, untranslated.
 */
export async function openTrusted(path: string, flags: number, mode = 0o600): Promise<FileHandle> {
  for (let links = 0, at = resolve(path); links < MAX_LINKS; links++) {
    await using folder = await holdFolder(dirname(at));
    const found = await openIn(folder, at, flags, mode);
    if (typeof found !== 'string') return found;
    at = found;
  }
  throw new ForeignLinkError(path);
}

/** The open file, or the path that it leads to when it is a trusted symlink. */
async function openIn(folder: HeldFolder, path: string, flags: number, mode: number): Promise<FileHandle | string> {
  const at = join(folder.at, basename(path));
  try {
    const file = await open(at, flags | constants.O_NOFOLLOW, mode);
    const stats = await file.stat();
    if (!stats.isFile() || stats.nlink === 1 || !mayOthersWrite(folder.stats)) return file;
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error;
    if (!isPrivate(folder.stats)) throw new ForeignLinkError(path);
    await using link = await holdEntry(at);
    if (!isOwn(link.stats.uid)) throw new ForeignLinkError(path);
    // The kernel's own links (/dev/stdout leads to one) lead elsewhere than their text says.
    if (hasProcFd() && (await statfs(folder.at)).type === PROC) return await open(at, flags, mode);
    return resolve(hasProcFd() ? readlinkSync(folder.at) : dirname(path), await readlink(at));
  }
  throw new ForeignLinkError(path);
}
