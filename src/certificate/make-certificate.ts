import type { KeyObject } from 'node:crypto';
import { loadCrypto } from '../base/node-crypto.ts';
import { keyPem, makeKey } from './local-key.ts';
import { GENERAL_NAME } from './names.ts';
import { bits, integer, octets, oid, sequence, setOf, tagged, utf8 } from './write-der.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

const YES = tagged(0x01, Buffer.of(0xff));

/** Clocks of other machines may be behind by so much. */
const BACKDATED_MS = 5 * 60_000;

/** A certificate of a server with its key, and the certificate of the authority that issued it, all in PEM. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/**
 * Makes a certificate authority for one certificate, whose key is then forgotten: whoever trusts the authority trusts
 * this server and no other. Both end after `lifeMs`.
 * @param name the common name of the authority.
 */
export async function makeServerCertificate(options: {
  readonly name: string;
  readonly dnsNames: readonly string[];
  readonly nowMs: number;
  readonly lifeMs: number;
}): Promise<ServerCertificate> {
  const { name, dnsNames, nowMs, lifeMs } = options;
  const [caKey, key] = await Promise.all([
    makeKey({ type: 'ec', curve: 'P-256' }),
    makeKey({ type: 'ec', curve: 'P-256' }),
  ]);
  const validity = sequence(utcTime(nowMs - BACKDATED_MS), utcTime(nowMs + lifeMs));
  const common = { issuer: nameOf(name), signer: caKey, validity };
  const ca = sign({
    ...common,
    subject: nameOf(name),
    key: caKey,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(YES, integer(0)), true),
      extension(KEY_USAGE, tagged(0x03, Buffer.of(1, 0x06)), true), // keyCertSign and cRLSign
      extension(SUBJECT_KEY_ID, octets(keyId(caKey))),
    ],
  });
  const certificate = sign({
    ...common,
    subject: nameOf(dnsNames[0] ?? name),
    key,
    extensions: [
      extension(BASIC_CONSTRAINTS, sequence(), true),
      extension(KEY_USAGE, tagged(0x03, Buffer.of(7, 0x80)), true), // digitalSignature
      extension(EXTENDED_KEY_USAGE, sequence(oid(SERVER_AUTH))),
      extension(SUBJECT_ALT_NAME, sequence(...dnsNames.map((one) => tagged(GENERAL_NAME.dns, Buffer.from(one))))),
      extension(AUTHORITY_KEY_ID, sequence(tagged(0x80, keyId(caKey)))),
    ],
  });
  return { certificate, key: keyPem(key, 'pkcs8'), ca };
}

function sign(parts: {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly validity: Buffer;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}): string {
  const { createSign } = loadCrypto();
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const body = sequence(
    tagged(0xa0, integer(2)), // version 3
    serialNumber(),
    algorithm,
    parts.issuer,
    parts.validity,
    parts.subject,
    publicKeyOf(parts.key),
    tagged(0xa3, sequence(...parts.extensions)),
  );
  const der = sequence(body, algorithm, bits(createSign('sha256').update(body).sign(parts.signer)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const extension = (id: string, value: Buffer, isCritical = false): Buffer =>
  sequence(oid(id), ...(isCritical ? [YES] : []), octets(value));

const nameOf = (commonName: string): Buffer => sequence(setOf(sequence(oid(COMMON_NAME), utf8(commonName))));

const publicKeyOf = (key: KeyObject): Buffer =>
  loadCrypto().createPublicKey(key).export({ type: 'spki', format: 'der' });

/** Chains are built by it where authorities have one name. */
const keyId = (key: KeyObject): Buffer =>
  loadCrypto().createHash('sha256').update(publicKeyOf(key)).digest().subarray(0, 20);

/** 127 random bits after a first one that makes the number positive and its length fixed. */
function serialNumber(): Buffer {
  const bytes = loadCrypto().randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return tagged(0x02, bytes);
}

/** Until 2049 (RFC 5280, 4.1.2.5). */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}
