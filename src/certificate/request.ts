import type { KeyObject } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { loadCrypto } from '../base/node-crypto.ts';
import { GENERAL_NAME, ipBytes, type Names, otherParts } from './names.ts';
import { bits, integer, octets, oid, sequence, setOf, tagged, utf8 } from './write-der.ts';

const COMMON_NAME = '2.5.4.3';
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALT_NAME = '2.5.29.17';
const NULL = Buffer.from([5, 0]);

/** Signature algorithms by the kind of key (RFC 5758, RFC 8017, RFC 8410). */
const ALGORITHMS = {
  rsa: { id: '1.2.840.113549.1.1.11', parameters: [NULL], hash: 'sha256' },
  'P-256': { id: '1.2.840.10045.4.3.2', parameters: [], hash: 'sha256' },
  'P-384': { id: '1.2.840.10045.4.3.3', parameters: [], hash: 'sha384' },
  'P-521': { id: '1.2.840.10045.4.3.4', parameters: [], hash: 'sha512' },
  ed25519: { id: '1.3.101.112', parameters: [], hash: undefined },
} as const;

/**
 * A certificate signing request (PKCS#10, RFC 2986) in PEM for a key: it holds all names, and the public key alone. The
 * common name is an alternative name too when it is a host or an e-mail address, as issuers of keys have it.
 */
export function certificateRequest(key: KeyObject, names: Names): string {
  const { createPublicKey, sign } = loadCrypto();
  const { id, parameters, hash } = ALGORITHMS[algorithmOf(key)];
  const { commonName } = names;
  const subject = commonName === '' ? [] : [setOf(sequence(oid(COMMON_NAME), utf8(commonName)))];
  const general = generalNames(names);
  const wanted = general.length === 0 ? [] : [sequence(oid(SUBJECT_ALT_NAME), octets(sequence(...general)))];
  const attributes = wanted.length === 0 ? [] : [sequence(oid(EXTENSION_REQUEST), setOf(sequence(...wanted)))];
  const body = sequence(
    integer(0), // version 1
    sequence(...subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    tagged(0xa0, ...attributes),
  );
  const der = sequence(body, sequence(oid(id), ...parameters), bits(sign(hash, body, key)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function algorithmOf(key: KeyObject): keyof typeof ALGORITHMS {
  const { asymmetricKeyType: type, asymmetricKeyDetails } = key;
  if (type === 'rsa' || type === 'ed25519') return type;
  const curve = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' } as const;
  return curve[asymmetricKeyDetails?.namedCurve as keyof typeof curve];
}

function generalNames({ commonName, dns, emails, ips, uris, others }: Names): readonly Buffer[] {
  const isMail = commonName.includes('@');
  const isHost = !isMail && /^(\*\.)?[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*$/u.test(commonName);
  return [
    ...distinct(isHost ? [commonName, ...dns] : dns).map((name) => tagged(GENERAL_NAME.dns, ascii(hostForm(name)))),
    ...distinct(isMail ? [commonName, ...emails] : emails).map((name) => tagged(GENERAL_NAME.email, ascii(name))),
    ...ips.map((address) => tagged(GENERAL_NAME.ip, ipBytes(address))),
    ...uris.map((uri) => tagged(GENERAL_NAME.uri, ascii(uri))),
    ...others.map((name) => {
      const { type, text } = otherParts(name);
      return tagged(GENERAL_NAME.other, oid(type), tagged(0xa0, utf8(text)));
    }),
  ];
}

const distinct = (names: readonly string[]) => [...new Set(names)];
const ascii = (text: string) => Buffer.from(text, 'latin1');

function hostForm(name: string): string {
  const [, star = '', rest = name] = /^(\*\.)(.*)$/.exec(name) ?? [];
  return `${star}${domainToASCII(rest) || rest}`;
}
