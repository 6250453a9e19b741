import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { loadCrypto } from '../base/node-crypto.ts';

/** A kind of key that is made on this machine. */
export type LocalKey =
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: 'P-256' | 'P-384' | 'P-521' }
  | { readonly type: 'ed25519' };

/** `traditional`: PKCS#1 for RSA, SEC1 for EC. Ed25519 has PKCS#8 only. */
export type PrivateKeyFormat = 'pkcs8' | 'traditional';

/** Makes a private key, in a thread of its own: an RSA key takes a tenth of a second. */
export async function makeKey(key: LocalKey): Promise<KeyObject> {
  const { generateKeyPair } = loadCrypto();
  const make = promisify(generateKeyPair) as unknown as (
    type: string,
    options: object,
  ) => Promise<{ readonly privateKey: KeyObject }>;
  const options = {
    rsa: () => ({ modulusLength: key.type === 'rsa' ? key.bits : 0 }),
    ec: () => ({ namedCurve: key.type === 'ec' ? key.curve : '' }),
    ed25519: () => ({}),
  };
  return (await make(key.type, options[key.type]())).privateKey;
}

/** The private key in PEM, with a newline at its end. */
export function keyPem(key: KeyObject, format: PrivateKeyFormat): string {
  const traditional = { rsa: 'pkcs1', ec: 'sec1' }[key.asymmetricKeyType as string];
  const type = (format === 'traditional' ? traditional : undefined) ?? 'pkcs8';
  return key.export({ type: type as 'pkcs8', format: 'pem' }).toString();
}

/** Whether a key is of this kind. */
export function isOfKind(key: KeyObject, kind: LocalKey): boolean {
  if (key.asymmetricKeyType !== kind.type) return false;
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (kind.type === 'rsa') return modulusLength === kind.bits;
  return kind.type === 'ed25519' || namedCurve === OPENSSL_NAMES[kind.curve];
}

const OPENSSL_NAMES = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' } as const;
