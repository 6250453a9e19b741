import { loadCrypto } from '../../base/node-crypto.ts';

/** Gives bytes for a purpose, always the same for the same secret and content. */
export type Derive = (purpose: string, length: number) => Buffer;

/**
 * Derives salts and initialisation vectors, which must not be random: equal secrets must give equal files, so that an
 * unchanged output publishes nothing and reloads nothing, also after a restart. Why this is safe:
 *
 * - A salt must differ between any two encryptions under one password. It is an HMAC of everything that is encrypted,
 *   so another content gives another salt, hence another AES key, and no key ever meets a second message. The vector is
 *   as unique as the key, and CBC asks for no more of it than that an attacker cannot foresee it.
 * - `secret` is the private key that the file protects. Without it the salts look random, and nobody can compute them
 *   in advance; with it there is nothing left to attack.
 * - The password does not enter: an HMAC of it would let an attacker who knows the private key try passwords without
 *   the iterations of PBKDF2. Two passwords for one content share a salt, which saves an attacker nothing but that.
 * - What a reader of two files learns is that their content is the same, which the agent says itself by not publishing.
 *
 * See docs/decisions/0011-keystores.md.
 */
export function deriveFrom(secret: Uint8Array, content: Uint8Array): Derive {
  const { createHash, createHmac } = loadCrypto();
  const seed = createHmac('sha256', secret)
    .update('pannier keystore 1\0')
    .update(createHash('sha256').update(content).digest())
    .digest();
  return (purpose, length) => createHmac('sha256', seed).update(purpose).digest().subarray(0, length);
}
