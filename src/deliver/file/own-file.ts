import type { Stats } from 'node:fs';

/** A larger file of Pannier's own is not read: it would hold some thousand certificates. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Why a file may not be from this user alone; undefined: it is. */
export function whyNotOurs(stats: Stats): string | undefined {
  const { uid, mode, nlink, size } = stats;
  if (!stats.isFile()) return 'it is no regular file';
  if (uid !== (process.geteuid?.() ?? uid)) return `user ${uid} owns it`;
  if ((mode & 0o077) !== 0) return `others may use it (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`;
  if (nlink !== 1) return 'it has a second name';
  return size > MAX_BYTES ? 'it is too large' : undefined;
}
