import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { accessIssue } from '../../base/access-issue.ts';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { type Failure, fail, failure, PannierError } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { ForeignLinkError, holdFolder } from '../../base/held-folder.ts';
import type { Config, ListenConfig } from '../../config/config.ts';
import { FOREIGN_LINK_HINT } from '../../deliver/foreign-link.ts';
import { TokenFile } from '../../deliver/http/token-file.ts';
import { connect } from '../../http/connect.ts';
import { askLocal, type LocalPlace, nameOf } from '../../http/local-api.ts';
import { describeWire, WireError } from '../../http/wire-error.ts';

interface Listener {
  readonly where: ListenConfig;
  readonly place: string;
  readonly tokenFile?: string;
  /** Health is answered there, by which an agent is known. */
  readonly hasHealth: boolean;
}

/** Looks at where the agent will listen: the directories of sockets, what is there now, and token files. */
export async function checkListeners(examination: Examination, config: Config): Promise<void> {
  for (const { where, place, tokenFile, hasHealth } of listenersOf(config)) {
    const isFree = where.kind === 'unix' ? await checkSocket(examination, where.path, place) : true;
    if (isFree) await examination.run('listener', place, (signal) => checkUse(where, place, hasHealth, signal));
    else examination.skip('listener', place, 'the socket cannot be made');
    if (tokenFile !== undefined) {
      const at = `${place}.tokenFile`;
      await examination.run('token file', at, async () => {
        const file = new TokenFile(tokenFile, at, examination.clock);
        return (await file.check()) ?? `${tokenFile} holds a token`;
      });
    }
  }
}

function listenersOf({ api, proxy, admin, sds }: Config): readonly Listener[] {
  return [
    ...(api?.listeners ?? []).map(({ where, place, tokenFile, aws }) => ({
      where,
      place,
      hasHealth: aws === undefined,
      ...(tokenFile === undefined ? {} : { tokenFile }),
    })),
    ...(sds?.listeners ?? []).map(({ where, place, tokenFile }) => ({
      where,
      place,
      hasHealth: false,
      ...(tokenFile === undefined ? {} : { tokenFile }),
    })),
    ...(proxy?.listeners ?? []).map(({ where, place }) => ({ where, place, hasHealth: false })),
    ...(admin === undefined ? [] : [{ where: admin.where, place: admin.place, hasHealth: true }]),
  ];
}

/** Whether a socket can be made in its directory, or the directory itself, which the agent makes one level of. */
async function checkSocket(examination: Examination, path: string, place: string): Promise<boolean> {
  const dir = dirname(path);
  return await examination.run('socket dir', place, async () => {
    if (await canBeMadeIn(dir, place)) return `a socket can be made in ${dir}`;
    const parent = dirname(dir);
    if (await canBeMadeIn(parent, place)) return `${dir} does not exist; it can be made in ${parent}`;
    throw fail('LISTEN_FAILED', place, `the directory ${parent} does not exist`, { hint: 'Make it.' });
  });
}

/** False when there is no such directory. @throws PannierError LISTEN_FAILED when nothing can be made in it. */
async function canBeMadeIn(dir: string, place: string): Promise<boolean> {
  try {
    await using folder = await holdFolder(dir);
    const why = await accessIssue(folder.at);
    if (why !== undefined) throw fail('LISTEN_FAILED', place, `nothing can be made in ${dir}: ${why}`);
    return true;
  } catch (error) {
    if (error instanceof PannierError) throw error;
    if (error instanceof ForeignLinkError) {
      const seen = `${error.link} is a symlink that another user can exchange`;
      throw fail('LISTEN_FAILED', place, seen, { hint: FOREIGN_LINK_HINT });
    }
    if (errnoOf(error) === 'ENOENT') return false;
    throw fail('LISTEN_FAILED', place, `${dir} (${errnoWord(error)})`);
  }
}

/** What listens there now: nothing, an agent, a dead socket, or another program. */
async function checkUse(
  where: ListenConfig,
  place: string,
  hasHealth: boolean,
  signal: AbortSignal,
): Promise<string | Failure> {
  const local: LocalPlace = where.kind === 'unix' ? where : { ...where, host: toAsk(where.host) };
  const shown = nameOf(local);
  if (local.kind === 'unix') {
    const stats = await lstat(local.path).catch(() => undefined);
    if (stats === undefined) return `nothing is at ${shown} yet`;
    if (!stats.isSocket()) throw fail('LISTEN_OCCUPIED', place, `${shown} exists and is not a socket`);
  }
  const target = local.kind === 'unix' ? { path: local.path } : { host: local.host, port: local.port };
  try {
    await connect(target, signal, (error) => new WireError(error, { stale: false, midway: false }));
  } catch (error) {
    const { code } = error as WireError;
    if (code !== 'ECONNREFUSED') return failure('AGENT_UNREACHABLE', place, `${shown}: ${describeWire(code).seen}`);
    if (local.kind === 'tcp') return `nothing listens on ${shown} yet`;
    const hint = 'The agent replaces it when it starts; if an agent should run, start it.';
    return failure('AGENT_UNREACHABLE', place, `${shown} is a dead socket: no process listens on it`, { hint });
  }
  if (!hasHealth) return `a process listens on ${shown}`;
  if (await isAgent(local)) return `an agent listens on ${shown}`;
  const hint = 'Stop that program, or choose another address.';
  throw fail('LISTEN_IN_USE', place, `a program that is no agent listens on ${shown}`, { hint });
}

/** Whether health is answered there as an agent does. */
async function isAgent(where: LocalPlace): Promise<boolean> {
  try {
    const { body } = await askLocal(where, { path: '/livez', timeoutMs: 2_000 });
    const { check } = JSON.parse(body.toString('utf8')) as { check?: unknown };
    return check === 'live';
  } catch {
    return false;
  }
}

/** An agent that listens on all addresses answers on loopback. */
const toAsk = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host);
