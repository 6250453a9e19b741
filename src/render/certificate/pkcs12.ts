import type { X509Certificate } from 'node:crypto';
import { loadCrypto } from '../../base/node-crypto.ts';
import {
  bmpString,
  explicit,
  integer,
  NULL,
  octets,
  oid,
  sequence,
  setOf,
  tagged,
  utf16,
} from '../../certificate/write-der.ts';
import { type Derive, deriveFrom } from './derive.ts';
import { encrypt, encryptPkcs8, ITERATIONS } from './pbes2.ts';

/**
 * Writes PKCS#12 (RFC 7292) as keytool of Java 17 does: PBES2 with AES-256, and an HMAC-SHA-256 over the whole. All
 * passwords are texts with at least one character.
 */

const DATA = oid('1.2.840.113549.1.7.1');
const ENCRYPTED_DATA = oid('1.2.840.113549.1.7.6');
const KEY_BAG = oid('1.2.840.113549.1.12.10.1.2');
const CERTIFICATE_BAG = oid('1.2.840.113549.1.12.10.1.3');
const X509 = oid('1.2.840.113549.1.9.22.1');
const FRIENDLY_NAME = oid('1.2.840.113549.1.9.20');
const LOCAL_KEY_ID = oid('1.2.840.113549.1.9.21');
const SHA256 = oid('2.16.840.1.101.3.4.2.1');
/** Oracle's attribute by which Java takes a certificate for a trusted one; its value says for which use. */
const TRUSTED = oid('2.16.840.1.113894.746875.1.1');
const ANY_USE = oid('2.5.29.37.0');

/** A keystore of one key. @param chain the certificate of the key, then its issuers. */
export function writeKeystore(
  pkcs8: Uint8Array,
  chain: readonly X509Certificate[],
  password: string,
  alias: string,
): Buffer {
  const [leaf] = chain;
  // The same mark joins the key to its certificate.
  const keyId = attribute(LOCAL_KEY_ID, octets(sha256(leaf?.raw ?? Buffer.alloc(0))));
  const name = attribute(FRIENDLY_NAME, bmpString(alias));
  const certificates = sequence(
    ...chain.map((one) => certificateBag(one, one === leaf ? [name, keyId] : [])), // only the key's has attributes
  );
  const derive = deriveFrom(pkcs8, certificates);
  const { algorithm, bytes } = encrypt(certificates, password, derive, 'certificates');
  const keys = sequence(bag(KEY_BAG, encryptPkcs8(pkcs8, password, derive), [name, keyId]));
  const encrypted = sequence(integer(0), sequence(DATA, algorithm, tagged(0x80, bytes)));
  return withMac(sequence(sequence(ENCRYPTED_DATA, explicit(0, encrypted)), data(keys)), password, derive);
}

/**
 * A truststore for Java: certificates with Oracle's attribute and without a key. The certificates are not encrypted,
 * since they are public; the MAC proves them to somebody who knows the password.
 * @param entries the certificates by their alias.
 */
export function writeTruststore(entries: ReadonlyMap<string, X509Certificate>, password: string): Buffer {
  const bags = [...entries].map(([alias, certificate]) =>
    certificateBag(certificate, [attribute(FRIENDLY_NAME, bmpString(alias)), attribute(TRUSTED, ANY_USE)]),
  );
  const content = sequence(...bags);
  // There is no key to derive from: the salt of the MAC is a hash of the content. See docs/decisions/0011-keystores.md.
  return withMac(sequence(data(content)), password, deriveFrom(Buffer.from('truststore'), content));
}

function certificateBag({ raw }: X509Certificate, attributes: readonly Buffer[]): Buffer {
  return bag(CERTIFICATE_BAG, sequence(X509, explicit(0, octets(raw))), attributes);
}

/** A SafeBag (4.2); its attributes are left out when there are none. */
const bag = (kind: Buffer, content: Buffer, attributes: readonly Buffer[]): Buffer =>
  sequence(kind, explicit(0, content), ...(attributes.length === 0 ? [] : [setOf(...attributes)]));

const attribute = (name: Buffer, value: Buffer): Buffer => sequence(name, setOf(value));

/** A ContentInfo of plain bytes. */
const data = (content: Buffer): Buffer => sequence(DATA, explicit(0, octets(content)));

/** The whole file (section 4): the safes, and an HMAC of them under a key that the password gives. */
function withMac(safes: Buffer, password: string, derive: Derive): Buffer {
  const salt = derive('mac salt', 16);
  const mac = loadCrypto().createHmac('sha256', macKeyOf(password, salt)).update(safes).digest();
  const digest = sequence(sequence(SHA256, NULL), octets(mac));
  return sequence(integer(3), data(safes), sequence(digest, octets(salt), integer(ITERATIONS)));
}

const MAC_KEY = 3;
const BLOCK = 64;

/**
 * The key of the MAC from a password: appendix B.2 of RFC 7292 with SHA-256. The key is as long as one hash, so the
 * first round of the appendix is the only one.
 */
function macKeyOf(password: string, salt: Buffer): Buffer {
  const text = Buffer.concat([utf16(password), Buffer.alloc(2)]);
  let key = sha256(Buffer.concat([Buffer.alloc(BLOCK, MAC_KEY), filled(salt), filled(text)]));
  for (let done = 1; done < ITERATIONS; done++) key = sha256(key);
  return key;
}

/** The bytes repeated until they fill whole blocks. */
const filled = (bytes: Buffer): Buffer => Buffer.alloc(Math.ceil(bytes.length / BLOCK) * BLOCK, bytes);

const sha256 = (bytes: Uint8Array): Buffer => loadCrypto().hash('sha256', bytes, 'buffer');
