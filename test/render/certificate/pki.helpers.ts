import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { Secret } from '../../../src/base/secret.ts';
import type { Fields } from '../../../src/base/value.ts';
import type { FormatName, FormatOptions } from '../../../src/config/config.ts';
import { createAuthority, type KeyPair } from '../../servers/certificates.ts';
import { fieldsOf, format } from '../render.helpers.ts';

const root = createAuthority('Test Root');
const issuer = root.subordinate('Test Issuer');

/** The certificates of authorities of every test here. */
export const AUTHORITIES = { root, issuer, otherRoot: createAuthority('Other Root') } as const;

export const KEYS: Readonly<Record<'rsa' | 'ec' | 'ed25519', KeyPairKeyObjectResult>> = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: generateKeyPairSync('ed25519'),
};

/** Issues a certificate for localhost with a key of a type. */
export const issue = (type: keyof typeof KEYS = 'ec', commonName = 'shop.svc'): KeyPair =>
  issuer.issue({ commonName, altNames: ['localhost', '127.0.0.1'], keys: KEYS[type] });

/** The fields that a `certificate` secret has. */
export const certificateFields = ({ certificatePem, keyPem }: KeyPair): Fields =>
  fieldsOf({
    certificate: Secret.text(certificatePem),
    privateKey: Secret.text(keyPem),
    privateKeyType: Secret.text('ec'),
    issuingCa: Secret.text(issuer.certificatePem),
    caChain: [Secret.text(issuer.certificatePem), Secret.text(root.certificatePem)],
    serialNumber: Secret.text('0a:1b'),
    expiration: Secret.number('1790000000'),
  });

/** A file in a format of certificates. The password is in the field `password` of the secret `store`. */
export const certificateFile = (
  name: FormatName,
  from: string | readonly string[],
  options: Omit<FormatOptions, 'password'> & { readonly password?: true } = {},
) => {
  const { password, ...rest } = options;
  const given = { ...rest, ...(password === undefined ? {} : { password: ['store', 'password'] }) };
  return { ...format(name, ...[from].flat()), options: given };
};

export const storeWith = (password: string): Fields => fieldsOf({ password: Secret.text(password) });
