import type { KeyWrap } from '../backend/key-wrap.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import { MIN_KEY_BYTES, type SealKey, sealKeyOf, wrappedKeyIn } from './seal.ts';

/** The key of a file that cannot be told, in words that hold nothing of it; another try brings the same. */
export interface KeyLost {
  readonly why: string;
}

/**
 * The key that a file was sealed with, decrypted by the backend that encrypted it.
 * @throws PannierError when the backend does not answer, or refuses the login or the path.
 */
export async function unwrapKey(file: Buffer, wrap: KeyWrap, signal: AbortSignal): Promise<SealKey | KeyLost> {
  const found = wrappedKeyIn(file);
  if ('why' in found) return found;
  const unwrapped = await wrap.unwrap(found.wrapped, signal);
  if ('refused' in unwrapped) return { why: `has a key that cannot be decrypted any more: ${unwrapped.refused.seen}` };
  const key = unwrapped.key.length === MIN_KEY_BYTES ? sealKeyOf(unwrapped.key) : undefined;
  return key === undefined ? { why: 'has another key' } : { ...key, wrapped: found.wrapped };
}

/** Makes a key, and has the backend encrypt it. @throws PannierError when the backend does not. */
export async function wrapNewKey(wrap: KeyWrap, signal: AbortSignal): Promise<SealKey> {
  for (;;) {
    const material = loadCrypto().randomBytes(MIN_KEY_BYTES);
    const key = sealKeyOf(material); // a newline at the end does not count, and the key would be too short
    if (key !== undefined) return { ...key, wrapped: await wrap.wrap(material, signal) };
  }
}
