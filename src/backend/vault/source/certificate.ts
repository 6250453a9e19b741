import type { X509Certificate } from 'node:crypto';
import { loadCrypto } from '../../../base/node-crypto.ts';
import { Secret } from '../../../base/secret.ts';
import { type Fields, isList, isSecret, plainText, type Value } from '../../../base/value.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { CertificateRequest } from '../config/request.ts';
import { changed, type FetchKind, malformed, readFields, type VaultSourceDeps } from './answer.ts';

/**
 * A certificate from the PKI engine: POST ISSUER/issue/ROLE, PEM.
 * https://openbao.org/api-docs/secret/pki/#generate-certificate-and-key
 *
 * Its life is read from the certificate itself, not from the answer, and a key that does not belong to it is refused
 * here, before anything is published. The lease of a role with generate_lease=true is not looked at; such a role
 * revokes the certificate when the login ends, so leave generate_lease off.
 */
export function createVaultCertificate({ vault }: VaultSourceDeps): FetchKind<CertificateRequest> {
  return async ({ want: { place }, request, last }, signal) => {
    const path = `${trimSlashes(request.issuer)}/issue/${request.role}`;
    const body = issueBody(request);
    const answer = await vault.call({ method: 'POST', path, body, place, idempotent: false }, signal);
    const data = readFields(answer.body, place);
    const { x509, serial } = readPair(data, place);
    const life = {
      kind: 'certificate',
      notBeforeMs: x509.validFromDate.getTime(),
      notAfterMs: x509.validToDate.getTime(),
    } as const;
    // A cache on the way gave the certificate that we hold.
    if (last?.version === serial && last.fields.size > 0) return { state: 'unchanged', life };
    return changed(renameFields(data, x509, serial), serial, life);
  };
}

function issueBody({ commonName, altNames, ipSans, uriSans, ttl }: CertificateRequest): Record<string, unknown> {
  const lists = { alt_names: altNames, ip_sans: ipSans, uri_sans: uriSans };
  return {
    common_name: commonName,
    format: 'pem',
    ...Object.fromEntries(Object.entries(lists).flatMap(([key, list]) => (list.length ? [[key, list.join(',')]] : []))),
    ...(ttl === undefined ? {} : { ttl }),
  };
}

/** The certificate, parsed. Node's own errors are not told: they may quote the input. */
function readPair(data: Fields, place: string): { x509: X509Certificate; serial: string } {
  const certificate = text(data.get('certificate'));
  const privateKey = text(data.get('private_key'));
  if (certificate === undefined) throw malformed(place, 'the answer holds no certificate');
  if (privateKey === undefined) throw malformed(place, 'the answer holds no private key');
  const { createPrivateKey, X509Certificate } = loadCrypto();
  let x509: X509Certificate;
  let matches: boolean;
  try {
    x509 = new X509Certificate(certificate);
    matches = x509.checkPrivateKey(createPrivateKey(privateKey));
  } catch {
    throw malformed(place, 'the certificate or its private key cannot be read');
  }
  if (!matches) throw malformed(place, 'the private key does not belong to the certificate');
  return { x509, serial: text(data.get('serial_number')) ?? serialOf(x509) };
}

/** Our names for the fields; what else the answer holds is left out. */
function renameFields(data: Fields, x509: X509Certificate, serial: string): Fields {
  const fields = new Map<string, Value>();
  const put = (name: string, value: Value | undefined) => value !== undefined && fields.set(name, value);
  const issuingCa = data.get('issuing_ca');
  const chain = data.get('ca_chain');
  const seconds = Math.floor(x509.validToDate.getTime() / 1000);
  put('certificate', data.get('certificate'));
  put('privateKey', data.get('private_key'));
  put('privateKeyType', data.get('private_key_type'));
  put('issuingCa', issuingCa);
  put('caChain', isList(chain) && chain.length > 0 ? chain : issuingCa === undefined ? [] : [issuingCa]);
  put('serialNumber', Secret.text(serial));
  put('expiration', data.get('expiration') ?? Secret.number(String(seconds)));
  return fields;
}

function text(value: Value | undefined): string | undefined {
  if (!isSecret(value) || value.type !== 'string') return undefined;
  return plainText(value) || undefined;
}

/** `0A1B` as the PKI engine writes it: `0a:1b`. */
function serialOf(x509: X509Certificate): string {
  return (x509.serialNumber.toLowerCase().match(/../g) ?? []).join(':');
}
