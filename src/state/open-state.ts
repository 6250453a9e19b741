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
  /** The name of the refused state that the contents are from. */
  readonly takenUp?: string;
  /** Why what is kept cannot be opened. */
  readonly warning?: Failure;
}

const NOTHING: StateContents = { savedWallMs: 0, secrets: [], logins: [] };
const NO_STATE: Unopened = { contents: NOTHING, setAside: false };

/** A state that cannot be opened, or none. */
type Unopened = Omit<OpenedState, 'key'>;

/** A wrapped key that is older than this is replaced at a start, so that the wrapping key can be rotated. */
const MAX_KEY_AGE_MS = 86_400_000;

/** @throws PannierError when there is no key, or the directory cannot be used. */
export async function openState(config: StateConfig, folder: StateFolder, env: Environment): Promise<OpenedState> {
  const key = await loadSealKey(config, folder, env);
  const file = await folder.read();
  const opened =
    file === undefined ? NO_STATE : 'why' in file ? refused(config, file.why) : openWith(key, file, config);
  return { key, ...opened, ...(await earlierThan(opened, folder, async () => key)) };
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
  const read = file === undefined || 'why' in file ? file : await unwrapKey(file, wrap, signal);
  const present = read !== undefined && 'bytes' in read ? read : undefined;
  const isLost = read !== undefined && 'why' in read;
  const first =
    present === undefined ? (isLost ? refused(config, read.why) : NO_STATE) : openWith(present, file as Buffer, config);
  const earlier = await earlierThan(first, folder, async (bytes) => {
    const key = await unwrapKey(bytes, wrap, signal).catch(() => undefined);
    return key !== undefined && 'bytes' in key ? key : undefined;
  });
  const key = earlier?.key ?? present;
  const opened = { ...first, ...earlier };
  if (key === undefined) return { ...opened, key: await wrapNewKey(wrap, signal), keyMadeWallMs: nowWallMs };
  const { keyMadeWallMs = Number.NEGATIVE_INFINITY } = opened.contents;
  const ageMs = nowWallMs - keyMadeWallMs;
  if (ageMs >= 0 && ageMs < MAX_KEY_AGE_MS) return { ...opened, key, keyMadeWallMs };
  // The key that decrypted the file serves on when the backend makes no other.
  const next = await wrapNewKey(wrap, signal).catch(() => undefined);
  return next === undefined ? { ...opened, key, keyMadeWallMs } : { ...opened, key: next, keyMadeWallMs: nowWallMs };
}

function openWith(key: SealKey, file: Buffer, config: StateConfig): Unopened {
  const contents = contentsOf(key, file);
  return 'why' in contents ? refused(config, contents.why) : { contents, setAside: false };
}

function contentsOf(key: SealKey, file: Buffer): StateContents | { readonly why: string } {
  const opened = unseal(file, key);
  return 'why' in opened ? opened : (decodeContents(opened) ?? { why: 'is malformed' });
}

/**
 * What is taken up of the states that were set aside, when the present one cannot be opened or holds nothing: an agent
 * that had the wrong key for a while wrote another one, and each pod restarts before anybody looks. Of several, the
 * newest that holds something.
 */
async function earlierThan(
  { contents, warning }: Unopened,
  folder: StateFolder,
  keyOf: (file: Buffer) => Promise<SealKey | undefined>,
): Promise<Pick<OpenedState, 'key' | 'contents' | 'takenUp' | 'warning'> | undefined> {
  if (!holdsNothing(contents)) return undefined;
  let newest: { readonly key: SealKey; readonly contents: StateContents; readonly takenUp: string } | undefined;
  for (const { name, bytes } of await folder.readRefused()) {
    const key = await keyOf(bytes);
    const found = key === undefined ? undefined : contentsOf(key, bytes);
    if (key === undefined || found === undefined || 'why' in found || holdsNothing(found)) continue;
    if (newest !== undefined && newest.contents.savedWallMs >= found.savedWallMs) continue;
    newest = { key, contents: found, takenUp: name };
  }
  if (newest === undefined || warning === undefined) return newest;
  const seen = `${warning.seen}; ${newest.takenUp}, which was set aside before, can be opened and is taken up`;
  return { ...newest, warning: { ...warning, seen, hint: 'Nothing is to be done if the key is the right one now.' } };
}

const holdsNothing = ({ secrets, logins }: StateContents): boolean => secrets.length === 0 && logins.length === 0;

function refused({ path, place }: StateConfig, why: string): Unopened {
  const warning = failure('STATE_UNREADABLE', place, `the state in ${path} ${why}`);
  return { contents: NOTHING, setAside: true, warning };
}
