/** X.509 certificates for test listeners, made with node:crypto alone so that no `openssl` has to be installed. */
import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIPv4 } from 'node:net';
import { bits, explicit, flag, integer, octets, oid, sequence, set, tagged, text, time } from './der.ts';

/** A certificate with its key, both PEM. */
export interface KeyPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** The subject's organisation, which Kubernetes takes for a group. */
  readonly organisation?: string;
  /** Subject alternative names: IPv4 addresses are recognised, the rest are DNS names. */
  readonly altNames?: readonly string[];
  /** Milliseconds from now; an hour when absent, negative for a certificate that has expired. */
  readonly lifetimeMs?: number;
  /** The key pair to certify; a new one of EC P-256 when absent. */
  readonly keys?: KeyPairKeyObjectResult;
}

/** A certificate authority that lives for one test. */
export interface Authority {
  readonly certificatePem: string;
  /** Signs an EC P-256 certificate good for servers and clients. */
  issue(request: CertificateRequest): KeyPair;
  /** Makes an authority below this one. */
  subordinate(commonName: string): Authority;
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const hourMs = 3_600_000;

/** Makes a self-signed authority, valid for a day from an hour ago. */
export function createAuthority(commonName: string): Authority {
  return authorityOf(commonName, undefined);
}

/** @param above the issuer; absent: the authority signs itself. */
function authorityOf(commonName: string, above: Issuer | undefined): Authority {
  const keys = newKeys();
  const issuer = { name: nameOf(commonName), key: keys.privateKey, keyId: keyIdOf(keys.publicKey) };
  const certificatePem = build({
    issuer: above ?? issuer,
    subject: issuer.name,
    publicKey: keys.publicKey,
    lifetimeMs: 24 * hourMs,
    extensions: [
      extension('2.5.29.19', sequence(flag(true)), 'critical'), // basicConstraints: CA
      extension('2.5.29.15', bits(Buffer.from([0x06]), 1), 'critical'), // keyUsage: keyCertSign, cRLSign
    ],
  });
  return {
    certificatePem,
    subordinate: (name) => authorityOf(name, issuer),
    issue({ commonName, organisation, altNames = [], lifetimeMs = hourMs, keys: leaf = newKeys() }) {
      const subject = nameOf(commonName, organisation);
      const extensions = [
        extension('2.5.29.15', bits(Buffer.from([0x80]), 7), 'critical'), // keyUsage: digitalSignature
        extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))), // server, client
      ];
      if (altNames.length > 0) extensions.push(extension('2.5.29.17', sequence(...altNames.map(altName))));
      return {
        certificatePem: build({ issuer, subject, publicKey: leaf.publicKey, lifetimeMs, extensions }),
        keyPem: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

const newKeys = (): KeyPairKeyObjectResult => generateKeyPairSync('ec', { namedCurve: 'P-256' });

interface Issuer {
  readonly name: Buffer;
  readonly key: KeyObject;
  readonly keyId: Buffer;
}

interface Draft {
  readonly issuer: Issuer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly lifetimeMs: number;
  readonly extensions: readonly Buffer[];
}

/** RFC 5280 section 4.1. */
function build({ issuer, subject, publicKey, lifetimeMs, extensions }: Draft): string {
  const notAfter = Date.now() + lifetimeMs;
  const notBefore = Math.min(Date.now(), notAfter) - hourMs;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    ecdsaWithSha256,
    issuer.name,
    sequence(time(new Date(notBefore)), time(new Date(notAfter))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(
      3,
      sequence(
        ...extensions,
        extension('2.5.29.14', octets(keyIdOf(publicKey))),
        extension('2.5.29.35', sequence(tagged(0x80, issuer.keyId))),
      ),
    ),
  );
  const der = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuer.key), 0));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string, organisation?: string): Buffer {
  const group = organisation === undefined ? [] : [set(sequence(oid('2.5.4.10'), text(organisation)))];
  return sequence(...group, set(sequence(oid('2.5.4.3'), text(commonName))));
}

function altName(name: string): Buffer {
  return isIPv4(name) ? tagged(0x87, Buffer.from(name.split('.').map(Number))) : tagged(0x82, Buffer.from(name));
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return critical ? sequence(oid(id), flag(true), octets(value)) : sequence(oid(id), octets(value));
}

function keyIdOf(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}
