import type { JsonWebKey, KeyObject } from 'node:crypto';
import { loadCrypto } from '../../../base/node-crypto.ts';

/** How a key signs (RFC 7518, RFC 8037); `dsaEncoding` is the form that JWS has for signatures of curves. */
interface Algorithm {
  readonly alg: string;
  readonly hash: string | undefined;
}

const CURVES: Readonly<Record<string, Algorithm>> = {
  prime256v1: { alg: 'ES256', hash: 'sha256' },
  secp384r1: { alg: 'ES384', hash: 'sha384' },
  secp521r1: { alg: 'ES512', hash: 'sha512' },
};

/** The members of a public key that its thumbprint is made of, in this order (RFC 7638). */
const MEMBERS: Readonly<Record<string, readonly (keyof JsonWebKey)[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};

/** Whether JWS has an algorithm for the key. */
export const canSign = (key: KeyObject): boolean => algorithmOf(key) !== undefined;

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm | undefined {
  if (asymmetricKeyType === 'rsa') return { alg: 'RS256', hash: 'sha256' };
  if (asymmetricKeyType === 'ed25519') return { alg: 'EdDSA', hash: undefined };
  return CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
}

/** The public half of a key, with the members that identify it and no others. */
export function publicJwk(key: KeyObject): Readonly<Record<string, string>> {
  const jwk = loadCrypto().createPublicKey(key).export({ format: 'jwk' });
  const members = MEMBERS[jwk.kty ?? ''] ?? [];
  return Object.fromEntries(members.map((name) => [name, String(jwk[name])]));
}

export function thumbprint(key: KeyObject): string {
  return sha256(JSON.stringify(publicJwk(key)));
}

export const sha256 = (text: string): string => loadCrypto().createHash('sha256').update(text).digest('base64url');

/** A request of an account as a JWS (RFC 8555, section 6.2). @param payload undefined: a POST that reads. */
export function signRequest(key: KeyObject, header: object, payload: object | undefined): object {
  const { alg, hash } = algorithmOf(key) as Algorithm;
  const protectedPart = encode({ alg, ...header });
  const body = payload === undefined ? '' : encode(payload);
  const bytes = Buffer.from(`${protectedPart}.${body}`);
  const signature = loadCrypto().sign(hash, bytes, { key, dsaEncoding: 'ieee-p1363' });
  return { protected: protectedPart, payload: body, signature: signature.toString('base64url') };
}

/** The public key of an account, signed with the key of an external account (RFC 8555, section 7.3.4). */
export function signBinding(hmacKey: Uint8Array, header: object, key: KeyObject): object {
  const protectedPart = encode({ alg: 'HS256', ...header });
  const body = encode(publicJwk(key));
  const signature = loadCrypto().createHmac('sha256', hmacKey).update(`${protectedPart}.${body}`).digest('base64url');
  return { protected: protectedPart, payload: body, signature };
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
