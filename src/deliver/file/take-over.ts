import { link, lstat, rename, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoWord } from '../../base/errno.ts';
import { fail, type PannierError } from '../../base/errors.ts';
import { isSameFile } from '../../base/held-folder.ts';
import { printable } from '../../base/printable.ts';
import { OWNER } from './names.ts';

/** The code for directories that another agent owns or owned: import it on first use. */

export type Takeover =
  | { readonly kind: 'taken'; readonly server: Server }
  /** The owner lives. `seen` says what it tells of itself, for people. */
  | { readonly kind: 'owned'; readonly seen: string }
  /** Whether the owner lives cannot be known. */
  | { readonly kind: 'unknown'; readonly code: string };

/** How long an owner may take to say who it is: one that is stopped or busy lives all the same. */
const ANSWER_MS = 1_000;

/** Of two agents that find one dead owner at once, the later one wins; the earlier one sees that after this time. */
const SETTLE_MS = 50;

const TRIES = 3;

/**
 * Takes a directory over whose owner is dead.
 * @param path of the owner's socket
 * @param listen makes the own socket at `path`; the code of the error when it cannot.
 */
export async function takeOver(path: string, listen: () => Promise<Server | string>): Promise<Takeover> {
  for (let tries = 1; ; tries++) {
    const answer = await askOwner(path);
    if (answer.kind !== 'dead') return answer;
    try {
      await unlink(path);
    } catch (error) {
      if (errnoWord(error) !== 'ENOENT') return { kind: 'unknown', code: errnoWord(error) };
    }
    const server = await listen();
    if (typeof server === 'string') {
      if (server !== 'EADDRINUSE' || tries === TRIES) return { kind: 'unknown', code: server };
      continue;
    }
    const made = await lstat(path).catch(() => undefined);
    await sleep(SETTLE_MS);
    const there = await lstat(path).catch(() => undefined);
    if (made !== undefined && there !== undefined && isSameFile(made, there)) return { kind: 'taken', server };
    await closeBeside(server, path);
    if (tries === TRIES) return { kind: 'owned', seen: '' };
  }
}

/**
 * For an agent that makes no socket of its own, since it ends soon.
 * @param at of the open directory
 * @throws PannierError OUTPUT_IN_USE: the owner of the directory lives.
 */
export async function refuseOwned(dir: string, at: string, place: string): Promise<void> {
  const answer = await askOwner(`${at}/${OWNER}`);
  if (answer.kind === 'owned') throw inUse(dir, answer.seen, place);
}

export function inUse(dir: string, seen: string, place: string): PannierError {
  return fail('OUTPUT_IN_USE', place, `another agent owns ${dir}${seen}`);
}

/** Closes a server whose path another one has. Closing removes what is at the path, so the other socket is put back. */
export async function closeBeside(server: Server, path: string): Promise<void> {
  const aside = `${path}_tmp`;
  await unlink(aside).catch(() => undefined);
  const isAside = await link(path, aside).then(
    () => true,
    () => false,
  );
  await new Promise((resolve) => server.close(resolve));
  if (isAside) await rename(aside, path).catch(() => undefined);
}

/** Asks the owner of a directory who it is. */
export function askOwner(path: string): Promise<{ readonly kind: 'dead' } | Exclude<Takeover, { kind: 'taken' }>> {
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
      else if (DEAD.has(code)) resolve({ kind: 'dead' });
      else resolve({ kind: 'unknown', code });
    });
  });
}

/** Nothing listens at the path, or it is no socket. */
const DEAD: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK']);

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
