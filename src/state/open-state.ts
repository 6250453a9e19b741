import { type Failure, failure } from '../base/errors.ts';
import type { StateConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { decodeContents, type StateContents } from './contents.ts';
import { loadSealKey } from './load-key.ts';
import { type SealKey, unseal } from './seal.ts';
import type { StateFolder } from './state-file.ts';

/** A state whose key is there. */
export interface OpenedState {
  readonly key: SealKey;
  readonly contents: StateContents;
  /** What is kept cannot be opened with this key: it must be set aside before another state is written. */
  readonly setAside: boolean;
  /** Why not. */
  readonly warning?: Failure;
}

const NOTHING: StateContents = { savedWallMs: 0, secrets: [], logins: [] };

/** @throws PannierError when there is no key, or the directory cannot be used. */
export async function openState(config: StateConfig, folder: StateFolder, env: Environment): Promise<OpenedState> {
  const key = await loadSealKey(config, folder, env);
  const file = await folder.read();
  if (file === undefined) return { key, contents: NOTHING, setAside: false };
  const opened = unseal(file, key);
  const contents = 'why' in opened ? undefined : decodeContents(opened);
  if (contents !== undefined) return { key, contents, setAside: false };
  const seen = `the state in ${config.path} ${'why' in opened ? opened.why : 'is malformed'}`;
  const warning = failure('STATE_UNREADABLE', config.place, seen);
  return { key, contents: NOTHING, setAside: true, warning };
}
