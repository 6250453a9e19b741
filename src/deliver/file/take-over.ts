import { lstatSync } from 'node:fs';
import { errnoWord } from '../../base/errno.ts';
import { fail, type PannierError } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';
import type { Found } from '../place-socket.ts';
import { OWNER } from './names.ts';

/** The code for directories that another agent owns or owned: import it on first use. */

/** What is known of the owner of a directory that is not dead. */
export type Owner =
  /** It lives. `seen` says what it tells of itself, for people. */
  | { readonly kind: 'owned'; readonly seen: string }
  /** Whether it lives cannot be known. */
  | { readonly kind: 'unknown'; readonly code: string };

/** How long an owner may take to say who it is: one that is stopped or busy lives all the same. */
const ANSWER_MS = 1_000;

/**
 * For an agent that makes no socket of its own, since it ends soon.
 * @param at of the open directory
 * @throws PannierError OUTPUT_IN_USE: the owner of the directory lives.
 */
export async function refuseOwned(dir: string, at: string, place: string): Promise<void> {
  const owner = await askOwner(`${at}/${OWNER}`);
  if (typeof owner === 'object' && owner.kind === 'owned') throw inUse(dir, owner.seen, place);
}

export function inUse(dir: string, seen: string, place: string): PannierError {
  return fail('OUTPUT_IN_USE', place, `another agent owns ${dir}${seen}`);
}

/** Asks the owner of a directory who it is. @param path of its socket */
export function askOwner(path: string): Promise<Found<Owner>> {
  return new Promise((resolve) => {
    const socket = process.getBuiltinModule('node:net').connect({ path });
    let told = '';
    let isLive = false;
    const done = () => {
      socket.destroy();
      resolve({ kind: 'owned', seen: seenOf(told) });
    };
    socket.setEncoding('utf8').setTimeout(ANSWER_MS, done);
    socket.once('connect', () => {
      isLive = true;
    });
    socket.on('data', (chunk: string) => {
      told += chunk;
      if (told.includes('\n') || told.length > MAX_LENGTH) done();
    });
    socket.once('end', done);
    socket.once('error', (error) => {
      const code = errnoWord(error);
      if (isLive) done();
      else if (code === 'ENOENT') resolve(isLink(path) ? 'dead' : 'nothing');
      else if (DEAD.has(code)) resolve('dead');
      else resolve({ kind: 'unknown', code });
    });
  });
}

/** Whether a symlink is at the path; where it leads to nothing, a connection fails as if nothing were there. */
const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

/** Nothing listens at the path, or it is no socket. */
const DEAD: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTSOCK']);

const MAX_LENGTH = 4096;

/** What is told may come from another program, so nothing of it is believed to be short, or harmless in a terminal. */
function seenOf(told: string): string {
  let fields: Record<string, unknown> = {};
  try {
    fields = Object(JSON.parse(told)) as Record<string, unknown>;
  } catch {
    // It is stopped, too busy, or no agent.
  }
  const { pid, since, configuration } = fields;
  const seen: string[] = [];
  if (Number.isSafeInteger(pid)) seen.push(`pid ${pid}`);
  if (typeof since === 'number' && since >= 0 && since < MAX_WALL_MS)
    seen.push(`since ${new Date(since).toISOString()}`);
  if (typeof configuration === 'string' && configuration !== '')
    seen.push(`configuration ${printable(configuration).slice(0, 200)}`);
  return seen.length === 0 ? '; it does not say who it is' : `: ${seen.join(', ')}`;
}

const MAX_WALL_MS = 8.64e15;
