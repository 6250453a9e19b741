import type { KeyObject, X509Certificate } from 'node:crypto';
import { loadCrypto } from '../../base/node-crypto.ts';
import { isFields, isList, isSecret, type Value } from '../../base/value.ts';
import { type PemBlock, readPem, writePem } from '../text/pem.ts';
import { CertificateFault } from './fault.ts';

/** A value to read, and what messages call it, such as `tls.caChain`; empty: nothing that is shown. */
export interface Named {
  readonly name: string;
  readonly value: Value;
}

/** What some sources hold, each certificate and key once, in their order. */
export interface Found {
  readonly certificates: readonly X509Certificate[];
  readonly keys: readonly KeyObject[];
}

/**
 * Finds certificates and private keys in sources by what they hold, not by the names of fields, so that secrets of any
 * backend do. A whole secret or list may hold other things too; a single value must be PEM, DER, or DER in base64.
 * @throws CertificateFault
 */
export function findCertificates(sources: readonly Named[]): Found {
  const certificates = new Map<string, X509Certificate>();
  const keys = new Map<string, KeyObject>();
  for (const source of sources) read(source, true);
  return { certificates: [...certificates.values()], keys: [...keys.values()] };

  function read({ name, value }: Named, isNeeded: boolean): void {
    const nameOf = (step: string | number) => (name === '' ? '' : `${name}.${step}`);
    if (isFields(value)) for (const [field, below] of value) read({ name: nameOf(field), value: below }, false);
    else if (isList(value)) for (const [i, below] of value.entries()) read({ name: nameOf(i), value: below }, isNeeded);
    else if (isSecret(value) && value.type === 'bytes') readDer(value.exposeBytes('file'), name, isNeeded);
    else if (isSecret(value) && value.type === 'string') readText(value.exposeText('file'), name, isNeeded);
    else if (isNeeded) throw unreadable(name);
  }

  function readText(text: string, name: string, isNeeded: boolean): void {
    if (!text.includes('-----BEGIN ')) {
      if (isNeeded) readDer(Buffer.from(text, 'base64'), name, isNeeded);
      return;
    }
    const blocks = readPem(text);
    if (blocks === undefined) throw new CertificateFault(`${shown(name)} holds a PEM block that is not whole`);
    for (const block of blocks) readBlock(block, name);
  }

  function readBlock(block: PemBlock, name: string): void {
    if (block.label === 'CERTIFICATE') add(certificateOf(Buffer.from(block.base64, 'base64')) ?? throwUnreadable(name));
    else if (block.label === 'ENCRYPTED PRIVATE KEY' || block.headers.some((line) => line.includes('ENCRYPTED'))) {
      throw new CertificateFault(
        `${shown(name)} holds a private key that is encrypted`,
        'Store it without a password.',
      );
    } else if (KEY_LABELS.has(block.label)) addKey(keyOf(`${writePem(block)}\n`) ?? throwUnreadable(name));
  }

  function readDer(bytes: Uint8Array, name: string, isNeeded: boolean): void {
    const certificate = certificateOf(bytes);
    const key = certificate === undefined ? keyOf(bytes) : undefined;
    if (certificate !== undefined) add(certificate);
    else if (key !== undefined) addKey(key);
    else if (isNeeded) throw unreadable(name);
  }

  function add(certificate: X509Certificate): void {
    certificates.set(certificate.fingerprint256, certificate);
  }

  function addKey(key: KeyObject): void {
    keys.set(pkcs8Of(key).toString('base64'), key);
  }
}

const KEY_LABELS: ReadonlySet<string> = new Set(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']);

/** The DER of a key as PKCS#8. */
export const pkcs8Of = (key: KeyObject): Buffer => key.export({ type: 'pkcs8', format: 'der' });

const shown = (name: string): string => name || 'a value';

const unreadable = (name: string): CertificateFault =>
  new CertificateFault(`${shown(name)} is neither a certificate nor a private key that can be read`);

function throwUnreadable(name: string): never {
  throw unreadable(name);
}

/** Errors of OpenSSL may quote what they read, so none is passed on. */
function certificateOf(der: Uint8Array): X509Certificate | undefined {
  try {
    return new (loadCrypto().X509Certificate)(der);
  } catch {
    return undefined;
  }
}

/** A key of PEM, or of the DER of PKCS#8, PKCS#1 or SEC1. */
function keyOf(given: string | Uint8Array): KeyObject | undefined {
  const { createPrivateKey } = loadCrypto();
  if (typeof given === 'string') return attempt(() => createPrivateKey(given));
  const key = Buffer.from(given);
  return (['pkcs8', 'pkcs1', 'sec1'] as const)
    .map((type) => attempt(() => createPrivateKey({ key, format: 'der', type })))
    .find((read) => read !== undefined);
}

function attempt(read: () => KeyObject): KeyObject | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
