import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { type HeldFolder, hasProcFd, holdEntry, holdInside, isSameFile } from '../../base/held-folder.ts';
import { connectTo, DEAD } from './connect-to.ts';

/** What the name of a private directory begins with; mkdtemp adds six characters. */
export const STAGE_PREFIX = '.p';
const STAGE_NAME = /^\.p[A-Za-z\d]{6}$/;

/** Between the making of a private directory and the listening in it lie milliseconds. */
const LEFT_MS = 60_000;

/** Another user may put any number of them there. The others are removed at a later start. */
const MAX_AT_ONCE = 100;

/**
 * Removes the private directories that killed processes have left beside a socket. Only what is surely one is removed:
 * a directory of this user with mode 0700, older than a minute, with nothing in it but perhaps a dead socket, which may
 * have its owner already. No other user can exchange what is in it, and `rmdir` removes nothing that is not empty.
 * Never rejects: nothing depends on it.
 */
export async function removeLeftStages(folder: HeldFolder): Promise<void> {
  if (!hasProcFd()) return; // by paths another user could exchange the directory between two calls
  const names = await readdir(folder.at).catch(() => []);
  for (const name of names.filter((one) => STAGE_NAME.test(one)).slice(0, MAX_AT_ONCE)) {
    await removeIfLeft(folder, name).catch(() => {});
  }
}

async function removeIfLeft(folder: HeldFolder, name: string): Promise<void> {
  await using stage = await holdInside(folder, name);
  const { uid, mode, mtimeMs } = stage.stats;
  if (uid !== process.geteuid?.() || (mode & 0o777) !== 0o700) return;
  if (systemClock.wallMs() - mtimeMs < LEFT_MS) return;
  const [socket, ...more] = await readdir(stage.at);
  if (socket !== undefined) {
    if (socket !== 's' || more.length > 0) return;
    const at = join(stage.at, socket);
    if (!(await isDeadSocket(at))) return;
    await unlink(at);
  }
  const path = join(folder.at, name);
  if (isSameFile(await lstat(path), stage.stats)) await rmdir(path);
}

async function isDeadSocket(at: string): Promise<boolean> {
  await using entry = await holdEntry(at);
  return entry.stats.isSocket() && DEAD.has(await connectTo(at));
}
