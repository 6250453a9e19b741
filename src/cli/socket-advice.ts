import type { LocalPlace } from '../http/local-api.ts';
import { DEFAULT_SOCKET } from './named-place.ts';

/** What a user can do about a socket that does not let them in, or is none. */
export interface Advice {
  /** What is wrong, when a look at the file system tells more than the error. */
  readonly seen?: string;
  readonly hint: string;
}

const { lstatSync, readdirSync, statSync } = process.getBuiltinModule('node:fs');

/**
 * Looks at the path of an agent's socket that could not be connected to, and says why and what to do. Synchronous and
 * without imports of the agent, since `probe` uses it.
 */
export function adviseOnSocket({ path, from }: Extract<LocalPlace, { kind: 'unix' }>): Advice {
  const named = from === undefined ? '' : `The path comes from ${from}. `;
  const me = process.geteuid?.() ?? 0;
  try {
    const { mode, uid, gid } = statSync(path);
    const owner = `mode ${(mode & 0o777).toString(8).padStart(4, '0')}, uid ${uid}, gid ${gid}`;
    if ((mode & S_IFMT) !== S_IFSOCK) {
      return { seen: 'this is no socket', hint: `${named}Name the socket of the agent with --socket.` };
    }
    if (mayWrite(mode, uid, gid)) {
      const hint = `${named}The agent that made the socket has ended. Start it again, or name another with --socket.`;
      return { hint: hint + othersNear(path) };
    }
    const group = (mode & 0o020) === 0 ? '' : ` or in the group ${gid}`;
    const hint = `Run the command as uid ${uid}${group}, or open the listener to others by its mode and gid.`;
    return { seen: `the socket has ${owner}, and this command runs as uid ${me}`, hint };
  } catch {
    const closed = closedFolder(path);
    if (closed !== undefined) {
      const hint = 'Run the command as a user whom the directory lets in, or put the socket elsewhere.';
      return { seen: `the directory ${closed} does not let uid ${me} in`, hint };
    }
    return { hint: `${named}Start the agent, or name its socket with --socket or PANNIER_SOCKET.${othersNear(path)}` };
  }
}

const S_IFMT = 0o170000;
const S_IFSOCK = 0o140000;

/** To connect to a socket is to write to it, see unix(7). */
function mayWrite(mode: number, uid: number, gid: number): boolean {
  const me = process.geteuid?.() ?? 0;
  if (me === 0) return true;
  if (me === uid) return (mode & 0o200) !== 0;
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  return (mode & (groups.includes(gid) ? 0o020 : 0o002)) !== 0;
}

/** The outermost directory of the path that cannot be searched. */
function closedFolder(path: string): string | undefined {
  const steps = path.split('/').slice(1);
  for (let count = 1; count <= steps.length; count++) {
    try {
      lstatSync(`/${steps.slice(0, count).join('/')}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EACCES') return undefined;
      return `/${steps.slice(0, count - 1).join('/')}`;
    }
  }
  return undefined;
}

/** Sockets that may be meant: the default one, and those beside the path. At most three. */
function othersNear(path: string): string {
  const folder = path.slice(0, path.lastIndexOf('/'));
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder === '' ? '.' : folder).map((name) => `${folder}/${name}`);
  } catch {
    // There is no such directory, or it cannot be read: then only the default is looked at.
  }
  const found = [DEFAULT_SOCKET, ...names].filter((one) => one !== path && isSocket(one));
  const others = [...new Set(found)].slice(0, 3);
  return others.length === 0 ? '' : ` There is a socket at ${others.join(', ')}.`;
}

function isSocket(path: string): boolean {
  try {
    return (statSync(path).mode & S_IFMT) === S_IFSOCK;
  } catch {
    return false;
  }
}
