import { chmod, chown, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoWord } from '../../base/errno.ts';
import { fail } from '../../base/errors.ts';
import { type HeldFolder, holdFolder } from '../../base/held-folder.ts';
import type { ListenConfig } from '../../config/config.ts';

export type UnixListen = Extract<ListenConfig, { kind: 'unix' }>;

/** What the directory of sockets gets when it has to be made. */
export interface SocketFolderPlan {
  readonly mode: number;
  /** Absent: the group of the agent. */
  readonly gid?: number;
}

/**
 * Lets every user who may connect to a socket (who may write to it, unix(7)) pass through its directory: the directory
 * has x for them, which opens a known name and lists nothing, and is otherwise private. It belongs to the agent and to
 * the group of the sockets that a group may connect to; when these have several groups, each user is let through.
 * @param sockets all of them that the directory will hold.
 * @param uid of the agent.
 */
export function planSocketFolder(sockets: readonly UnixListen[], uid: number | undefined): SocketFolderPlan {
  const groups = new Set(sockets.filter(({ mode }) => mode & 0o020).map(({ gid }) => gid));
  const [gid] = groups.size === 1 ? groups : [];
  let mode = 0o700;
  for (const socket of sockets) {
    if (socket.mode & 0o020) mode |= socket.gid === gid ? 0o010 : 0o011;
    // For the directory its user is somebody else, or in its group by chance.
    if (socket.mode & 0o200 && socket.uid !== undefined && socket.uid !== uid) mode |= 0o011;
    if (socket.mode & 0o002) mode |= 0o011;
  }
  return gid === undefined ? { mode } : { mode, gid };
}

/**
 * Opens the directory of a socket. A missing one is made, but not its parents; one that exists is never changed.
 * @param sockets all of them that the directory will hold.
 * @throws PannierError LISTEN_FAILED when it cannot be made; errors of `holdFolder`, untranslated.
 */
export async function openSocketFolder(
  dir: string,
  sockets: readonly UnixListen[],
  place: string,
): Promise<HeldFolder> {
  const folder = await holdFolder(dir, { make: 0o700, parents: false }).catch((error: unknown) => {
    throw cannotMake(error, dir, place) ?? error;
  });
  if (!folder.made) return folder;
  const { mode, gid } = planSocketFolder(sockets, process.geteuid?.());
  try {
    if (gid !== undefined) await chown(folder.at, -1, gid);
    await chmod(folder.at, mode);
    return folder;
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    // At the next start a half-made directory would pass for one that was there before.
    await using parent = await holdFolder(dirname(dir));
    await rmdir(join(parent.at, basename(dir))).catch(() => {});
    const seen = `the directory ${dir} cannot be given to the group ${gid} (${errnoWord(error)})`;
    throw fail('LISTEN_FAILED', place, seen, { hint: 'Make it, or set gid to a group that the agent is in.' });
  }
}

function cannotMake(error: unknown, dir: string, place: string) {
  const code = errnoWord(error);
  if ((error as NodeJS.ErrnoException).syscall === 'mkdir') {
    const hint = 'Make it, owned by the user of the agent, or let that user make it.';
    return fail('LISTEN_FAILED', place, `the directory ${dir} does not exist and cannot be made (${code})`, { hint });
  }
  if (code !== 'ENOENT') return undefined;
  const parent = dirname(dir);
  const seen = `${parent} does not exist, so the directory ${dir} cannot be made`;
  return fail('LISTEN_FAILED', place, seen, { hint: `Make ${parent}: only the last directory is made for a socket.` });
}
