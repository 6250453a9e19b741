import { lstat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatDuration } from '../../base/duration.ts';
import { errnoOf } from '../../base/errno.ts';
import { type Failure, fail } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { isMemory } from '../../base/held-folder.ts';
import type { Config, StateConfig } from '../../config/config.ts';
import type { Environment } from '../../config/environment.ts';
import { loadSealKey } from '../../state/load-key.ts';
import { openState } from '../../state/open-state.ts';
import { createStateFolder, noKeyOnDisk } from '../../state/state-file.ts';
import { accessIssue } from './access-issue.ts';

/** Looks at the key and the directory of the state, and opens what is kept. Makes nothing. */
export async function checkState(examination: Examination, { state }: Config, env: Environment): Promise<void> {
  if (state === undefined) return;
  await examination.run('state', state.place, async () => {
    return (await isAbsent(state.path))
      ? await describeMissing(state, env)
      : await describeKept(state, env, examination.clock.wallMs());
  });
}

async function describeKept(state: StateConfig, env: Environment, nowMs: number): Promise<string | Failure> {
  const { path, place } = state;
  const { contents, warning } = await openState(state, createStateFolder(path, place, false), env);
  if (warning !== undefined) return warning;
  const issue = await accessIssue(path);
  if (issue !== undefined) throw fail('STATE_NOT_WRITABLE', place, `${path}: ${issue}`);
  const { savedWallMs, secrets, logins } = contents;
  if (savedWallMs === 0) return `${path} can be written; nothing is kept yet`;
  const age = formatDuration(nowMs - savedWallMs);
  return `${path} was written ${age} ago: secrets: ${secrets.length}, logins: ${logins.length}`;
}

/** @throws PannierError STATE_NOT_WRITABLE, STATE_KEY. */
async function describeMissing(state: StateConfig, env: Environment): Promise<string> {
  const { path, place, key } = state;
  let at = dirname(path);
  while (at !== '/' && (await isAbsent(at))) at = dirname(at);
  const issue = await accessIssue(at);
  if (issue !== undefined) throw fail('STATE_NOT_WRITABLE', place, `${path} cannot be made in ${at}: ${issue}`);
  if (key.from === 'beside' && !isMemory((await statfs(at)).type)) throw noKeyOnDisk(at, place);
  if (key.from !== 'beside') await loadSealKey(state, createStateFolder(path, place, false), env);
  return `${path} does not exist; it can be made in ${at}`;
}

async function isAbsent(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
}
