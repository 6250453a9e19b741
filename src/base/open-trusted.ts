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
  mayOthersWrite,
} from './held-folder.ts';

const MAX_LINKS = 40;
const PROC = 0x9fa0;

/**
 * Opens a file and follows symlinks only where `holdFolder` does: a file in a folder that another user may write must
 * stand there itself. A second name of it there (a hard link) may be the name of another user's choice for a file that
 * is elsewhere, and is refused like a symlink.
 * @throws ForeignLinkError; errors of system calls as they are.
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

/** A path: the file is a symlink that leads there. */
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
    // A link of the kernel's (/dev/stdout leads to one) leads where its text does not.
    if (hasProcFd() && (await statfs(folder.at)).type === PROC) return await open(at, flags, mode);
    return resolve(hasProcFd() ? readlinkSync(folder.at) : dirname(path), await readlink(at));
  }
  throw new ForeignLinkError(path);
}
