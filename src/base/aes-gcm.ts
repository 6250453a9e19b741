import { loadCrypto } from './node-crypto.ts';

const CIPHER = 'aes-256-gcm';

/** How many random bytes a nonce has. */
export const NONCE_BYTES = 12;

/** How many bytes follow the ciphertext. */
export const TAG_BYTES = 16;

/** What a text is sealed by (NIST SP 800-38D). */
export interface Sealing {
  /** 32 bytes. */
  readonly key: Buffer;
  /** Never used twice with one key. */
  readonly nonce: Buffer;
  /** Is authenticated with the text, and is no part of the answer. */
  readonly bound: Buffer;
}

/** The ciphertext, and its tag. */
export function encrypt(text: Uint8Array, { key, nonce, bound }: Sealing): Buffer {
  const cipher = loadCrypto().createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound);
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** The text of what `encrypt` has made. @throws Error for what was sealed by another one, or changed. */
export function decrypt(sealed: Buffer, { key, nonce, bound }: Sealing): Buffer {
  const decipher = loadCrypto().createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
}
