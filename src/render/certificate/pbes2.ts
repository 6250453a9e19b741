import { loadCrypto } from '../../base/node-crypto.ts';
import { integer, NULL, octets, oid, sequence } from '../../certificate/write-der.ts';
import type { Derive } from './derive.ts';

/** How often a password is hashed, here and for the MAC of a keystore: as often as keytool of Java 17 and 25 does. */
export const ITERATIONS = 10_000;

const PBES2 = oid('1.2.840.113549.1.5.13');
const PBKDF2 = oid('1.2.840.113549.1.5.12');
const HMAC_SHA256 = oid('1.2.840.113549.2.9');
const AES_256_CBC = oid('2.16.840.1.101.3.4.1.42');

export interface Encrypted {
  /** The AlgorithmIdentifier, with salt and initialisation vector. */
  readonly algorithm: Buffer;
  readonly bytes: Buffer;
}

/** Encrypts with a password: PBES2 of PBKDF2 with HMAC-SHA-256 and AES-256-CBC (RFC 8018, 6.2). */
export function encrypt(plain: Uint8Array, password: string, derive: Derive, purpose: string): Encrypted {
  const { createCipheriv, pbkdf2Sync } = loadCrypto();
  const salt = derive(`${purpose} salt`, 16);
  const iv = derive(`${purpose} iv`, 16);
  const key = pbkdf2Sync(Buffer.from(password, 'utf8'), salt, ITERATIONS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const derivation = sequence(octets(salt), integer(ITERATIONS), sequence(HMAC_SHA256, NULL));
  return {
    algorithm: sequence(PBES2, sequence(sequence(PBKDF2, derivation), sequence(AES_256_CBC, octets(iv)))),
    bytes: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

/** An EncryptedPrivateKeyInfo (RFC 5958, 3), of the DER of a PKCS#8 key. */
export function encryptPkcs8(pkcs8: Uint8Array, password: string, derive: Derive): Buffer {
  const { algorithm, bytes } = encrypt(pkcs8, password, derive, 'key');
  return sequence(algorithm, octets(bytes));
}
