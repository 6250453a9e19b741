import type { KeyWrap } from '../backend/key-wrap.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { StateConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { decodeContents, type StateContents } from './contents.ts';
import { loadSealKey } from './load-key.ts';
import { type SealKey, unseal } from './seal.ts';
import type { StateFolder } from './state-file.ts';
import { unwrapKey, wrapNewKey } from './wrapped-key.ts';

/** A state whose key is there. */
export interface OpenedState {
  readonly key: SealKey;
  /** When the key was made, on the wall clock, for a key that a backend wraps. */
  readonly keyMadeWallMs?: number;
  readonly contents: StateContents;
  /** What is kept cannot be opened with this key: it must be set aside before another state is written. */
  readonly setAside: boolean;
  /** Why not. */
  readonly warning?: Failure;
}

const NOTHING: StateContents = { savedWallMs: 0, secrets: [], logins: [] };

/** A wrapped key that is older than this is replaced at a start, so that the wrapping key can be rotated. */
const MAX_KEY_AGE_MS = 86_400_000;

/** @throws PannierError when there is no key, or the directory cannot be used. */
export async function openState(config: StateConfig, folder: StateFolder, env: Environment): Promise<OpenedState> {
  const key = await loadSealKey(config, folder, env);
  const file = await folder.read();
  if (file === undefined) return { key, contents: NOTHING, setAside: false };
  return 'why' in file ? { key, ...refused(config, file.why) } : openWith(key, file, config);
}

export interface WrappedOptions {
  readonly wrap: KeyWrap;
  readonly nowWallMs: number;
  readonly signal: AbortSignal;
}

/**
 * Opens a state whose key is in its header, encrypted by a backend. A file whose key the backend cannot decrypt any
 * more is set aside, and another key is made.
 * @throws PannierError when the backend does not answer or refuses, or the directory cannot be used.
 */
export async function openWrappedState(
  config: StateConfig,
  folder: StateFolder,
  { wrap, nowWallMs, signal }: WrappedOptions,
): Promise<OpenedState> {
  const file = await folder.read();
  const key = file === undefined || 'why' in file ? file : await unwrapKey(file, wrap, signal);
  if (file === undefined || 'why' in file || key === undefined || !('bytes' in key)) {
    const isLost = key !== undefined && 'why' in key;
    const before = isLost ? refused(config, key.why) : { contents: NOTHING, setAside: false };
    return { ...before, key: await wrapNewKey(wrap, signal), keyMadeWallMs: nowWallMs };
  }
  const opened = openWith(key, file, config);
  const { keyMadeWallMs = Number.NEGATIVE_INFINITY } = opened.contents;
  const ageMs = nowWallMs - keyMadeWallMs;
  if (ageMs >= 0 && ageMs < MAX_KEY_AGE_MS) return { ...opened, keyMadeWallMs };
  // The key that decrypted the file serves on when the backend makes no other.
  const next = await wrapNewKey(wrap, signal).catch(() => undefined);
  return next === undefined ? { ...opened, keyMadeWallMs } : { ...opened, key: next, keyMadeWallMs: nowWallMs };
}

function openWith(key: SealKey, file: Buffer, config: StateConfig): OpenedState {
  const opened = unseal(file, key);
  const contents = 'why' in opened ? undefined : decodeContents(opened);
  if (contents !== undefined) return { key, contents, setAside: false };
  return { key, ...refused(config, 'why' in opened ? opened.why : 'is malformed') };
}

function refused({ path, place }: StateConfig, why: string): Omit<OpenedState, 'key'> {
  const warning = failure('STATE_UNREADABLE', place, `the state in ${path} ${why}`);
  return { contents: NOTHING, setAside: true, warning };
}
