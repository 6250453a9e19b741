import { lstat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BACKEND_KINDS } from '../../backend/registry.ts';
import { accessIssue } from '../../base/access-issue.ts';
import { formatDuration } from '../../base/duration.ts';
import { errnoOf } from '../../base/errno.ts';
import { type Failure, fail } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import { isMemory } from '../../base/held-folder.ts';
import { version } from '../../base/version.ts';
import type { BackendConfig, Config, StateConfig, WrappingKey } from '../../config/config.ts';
import { type Environment, readEnvironment } from '../../config/environment.ts';
import { kindOf } from '../../config/sections/backends/kind.ts';
import { loadSealKey } from '../../state/load-key.ts';
import { type OpenedState, openState, openWrappedState } from '../../state/open-state.ts';
import { createStateFolder, noKeyOnDisk } from '../../state/state-file.ts';

interface WrappedState {
  readonly state: StateConfig;
  readonly key: WrappingKey;
  readonly config: Config;
}

/** Looks at the key and the directory of the state, and opens what is kept. Makes nothing. */
export async function checkState(examination: Examination, config: Config, env: Environment): Promise<void> {
  const { state } = config;
  if (state === undefined) return;
  await examination.run('state', state.place, async () => {
    if (await isAbsent(state.path)) return await describeMissing(state, env);
    const folder = createStateFolder(state.path, state.place, false);
    if (state.key.from !== 'wrapped') {
      return await describeKept(state, await openState(state, folder, env), examination.clock.wallMs());
    }
    return await describeDirectory(state);
  });
  const { key } = state;
  if (key.from === 'wrapped') await checkWrapped(examination, { state, key, config });
}

/** Has the backend decrypt the key that is kept, or encrypt one when nothing is kept. It keeps neither. */
async function checkWrapped(examination: Examination, { state, key, config }: WrappedState): Promise<void> {
  const backend = config.backends.get(key.backend) as BackendConfig; // which the configuration has checked
  const kind = kindOf(BACKEND_KINDS, backend);
  if (kind.usesUpLogin?.(backend as never) === true) {
    examination.skip('state', key.place, 'a login would use up the secret id, and the agent could not log in any more');
    return;
  }
  await examination.run('state', key.place, async (signal) => {
    const { clock } = examination;
    const base = { clock, random: Math.random, emit: () => {}, env: readEnvironment(), version, kept: new Map() };
    await using wrap = await kind.openKeyWrap?.(backend as never, key, base);
    if (wrap === undefined) throw new TypeError(`${key.backend} wraps no keys`);
    const options = { wrap, nowWallMs: clock.wallMs(), signal };
    const folder = createStateFolder(state.path, state.place, false);
    return await describeKept(state, await openWrappedState(state, folder, options), clock.wallMs());
  });
}

async function describeDirectory({ path, place }: StateConfig): Promise<string> {
  const issue = await accessIssue(path);
  if (issue !== undefined) throw fail('STATE_NOT_WRITABLE', place, `${path}: ${issue}`);
  return `${path} can be written`;
}

async function describeKept(
  state: StateConfig,
  { contents, warning }: OpenedState,
  nowMs: number,
): Promise<string | Failure> {
  const { path, place } = state;
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
  if (key.from === 'file' || key.from === 'env') await loadSealKey(state, createStateFolder(path, place, false), env);
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
