import type { X509Certificate } from 'node:crypto';
import { fail } from '../../base/errors.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import type { Secret } from '../../base/secret.ts';
import { type Fields, isList, isSecret, otherFields, type Value } from '../../base/value.ts';
import type { SdsSecretConfig, SdsSource } from '../../config/config.ts';
import { orderChain } from '../../render/helpers/chain.ts';
import { writeJson } from '../../render/text/json.ts';
import { type PemBlock, readPem, writePem } from '../../render/text/pem.ts';
import type { SecretBody } from './secret-message.ts';

/** A body, and what is not as it should be with it although it can be used. */
export interface MadeBody {
  readonly body: SecretBody;
  readonly remark?: string;
}

/** A secret that is made of fields; session tickets are not. */
export type FieldsConfig = Exclude<SdsSecretConfig, { kind: 'session-tickets' }>;

/**
 * Makes what clients get of the fields of secrets.
 * @param fieldsOf gives the fields of a secret; all of them are of one snapshot.
 * @throws PannierError SDS_UNUSABLE when a field is missing or holds something else.
 */
export function bodyOf(config: FieldsConfig, fieldsOf: (secret: string) => Fields): MadeBody {
  const { place, from } = config;
  switch (config.kind) {
    case 'certificate':
      return { body: certificateOf(fieldsOf(from.secret), from.secret, place) };
    case 'trust':
      return trustOf(config, fieldsOf);
    case 'generic':
      return { body: genericOf(from, fieldsOf(from.secret), place) };
  }
}

function unusable(place: string, seen: string, hint?: string) {
  return fail('SDS_UNUSABLE', place, seen, hint === undefined ? {} : { hint });
}

/** The leaf and its intermediates in the order of TLS, without the root, which clients have, and the leaf's key. */
function certificateOf(fields: Fields, secret: string, place: string): SecretBody {
  const own = blocksOf(fields.get('certificate')).filter(isCertificate);
  const [leaf] = own;
  const privateKey = textOf(fields.get('privateKey'));
  if (leaf === undefined || privateKey === undefined) {
    const missing = leaf === undefined ? 'certificate' : 'privateKey';
    const seen = `the secret ${secret} has no field ${missing} in PEM`;
    throw unusable(place, seen, otherFields(fields, missing).hint);
  }
  const parsed = parse(leaf, place);
  if (!belongs(privateKey, parsed)) {
    throw unusable(place, `the private key of ${secret} does not belong to its certificate`);
  }
  const rest = [...own.slice(1), ...blocksOf(fields.get('caChain')).filter(isCertificate)]
    .map((block) => ({ block, certificate: parse(block, place) }))
    .filter(({ certificate }) => !isSelfIssued(certificate));
  const chain = distinct([{ block: leaf, certificate: parsed }, ...rest]);
  // What does not issue the leaf, directly or over others, would confuse its clients.
  const ordered = orderChain(chain);
  const kept = [chain[0] as Item];
  for (const item of ordered) {
    const last = kept.at(-1) as Item;
    if (item !== chain[0] && last.certificate.checkIssued(item.certificate)) kept.push(item);
  }
  return { kind: 'certificate', chain: pemOf(kept.map(({ block }) => block)), privateKey: bytesOfText(privateKey) };
}

interface Item {
  readonly block: PemBlock;
  readonly certificate: X509Certificate;
}

function trustOf(config: Extract<FieldsConfig, { kind: 'trust' }>, fieldsOf: (secret: string) => Fields): MadeBody {
  const { from, crl, names, crlOfLeafOnly, maxDepth, place } = config;
  const fields = fieldsOf(from.secret);
  const given = from.field === undefined ? ['issuingCa', 'caChain'] : [from.field];
  const blocks = given.flatMap((field) => blocksOf(fields.get(field))).filter(isCertificate);
  if (blocks.length === 0) {
    const seen = `the secret ${from.secret} has no certificate of an authority in ${given.join(' or ')}`;
    throw unusable(place, seen, otherFields(fields, given[0] as string).hint);
  }
  const items = distinct(blocks.map((block) => ({ block, certificate: parse(block, place) })));
  const list = crl === undefined ? undefined : crlOf(crl, fieldsOf(crl.secret), place);
  const hasRoot = items.some(({ certificate }) => isSelfIssued(certificate));
  return {
    body: {
      kind: 'trust',
      authorities: pemOf(items.map(({ block }) => block)),
      names,
      crlOfLeafOnly,
      ...(list === undefined ? {} : { crl: list }),
      ...(maxDepth === undefined ? {} : { maxDepth }),
    },
    ...(hasRoot ? {} : { remark: `the certificates of ${from.secret} hold no root, which many clients need` }),
  };
}

function crlOf({ secret, field = '' }: SdsSource, fields: Fields, place: string): Uint8Array {
  const lists = blocksOf(fields.get(field)).filter(({ label }) => label === 'X509 CRL');
  if (lists.length === 0) throw unusable(place, `${secret}.${field} holds no list of revoked certificates in PEM`);
  return pemOf(lists);
}

function genericOf({ secret, field }: SdsSource, fields: Fields, place: string): SecretBody {
  if (field === undefined) {
    return { kind: 'generic-map', secrets: new Map([...fields].map(([name, value]) => [name, bytesOf(value)])) };
  }
  const value = fields.get(field);
  if (value !== undefined) return { kind: 'generic', secret: bytesOf(value) };
  const { meant, hint } = otherFields(fields, field);
  throw unusable(place, `the secret ${secret} has no field ${field}${meant}`, hint);
}

/** A leaf as it is, a list or a map as compact JSON. */
function bytesOf(value: Value): Uint8Array {
  return isSecret(value) ? value.exposeBytes('sds') : bytesOfText(writeJson(value, 0, 'sds'));
}

function textOf(value: Value | undefined): string | undefined {
  return isSecret(value) && value.type === 'string' ? exposed(value) || undefined : undefined;
}

const exposed = (value: Secret): string => value.exposeText('sds');

/** The blocks of a PEM text, or of a list of such texts; none when there is no whole block. */
function blocksOf(value: Value | undefined): readonly PemBlock[] {
  if (isList(value)) return value.flatMap(blocksOf);
  const text = textOf(value);
  return text === undefined ? [] : (readPem(text) ?? []);
}

const isCertificate = ({ label }: PemBlock): boolean => label === 'CERTIFICATE';

const isSelfIssued = ({ subject, issuer }: X509Certificate): boolean => subject === issuer;

function parse({ base64 }: PemBlock, place: string): X509Certificate {
  try {
    return new (loadCrypto().X509Certificate)(Buffer.from(base64, 'base64'));
  } catch {
    throw unusable(place, 'a certificate cannot be read');
  }
}

function belongs(privateKey: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(loadCrypto().createPrivateKey(privateKey));
  } catch {
    return false; // the key cannot be read
  }
}

function distinct(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [item.certificate.fingerprint256, item])).values()];
}

const pemOf = (blocks: readonly PemBlock[]): Uint8Array => bytesOfText(`${blocks.map(writePem).join('\n')}\n`);

const encoder = new TextEncoder();

/** In memory of their own: a Buffer would be part of a larger one, which it would hold as long as it is served. */
const bytesOfText = (text: string): Uint8Array => encoder.encode(text);
