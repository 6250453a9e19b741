import type { KeyObject } from 'node:crypto';
import type { Code } from '../../../base/codes.ts';
import { asFailure, fail, PannierError } from '../../../base/errors.ts';
import { loadCrypto } from '../../../base/node-crypto.ts';
import { Secret } from '../../../base/secret.ts';
import { type Fields, isList, isSecret, plainText, type Value } from '../../../base/value.ts';
import {
  type CertificateSet,
  type CheckedCertificate,
  checkCertificate,
  UnfitCertificateError,
} from '../../../certificate/check.ts';
import { isOfKind, keyPem, makeKey } from '../../../certificate/local-key.ts';
import type { Names } from '../../../certificate/names.ts';
import { certificateRequest } from '../../../certificate/request.ts';
import type { Fetched, Want, Watching } from '../../backend.ts';
import { CLOCK_SKEW_MS, readAuthorities } from '../../certificate-authorities.ts';
import { certificateLife, serialOf } from '../../certificate-fields.ts';
import { type Asking, Pacing } from '../../pacing.ts';
import type { CertificateRequest } from '../config/request.ts';
import { changed, type FetchKind, malformed, readFields } from './answer.ts';
import type { VaultCertificateDeps } from './certificate-deps.ts';
import { warnOfShortLife } from './certificate-life.ts';
import { certificatePath } from './certificate-path.ts';
import { inServerWords } from './certificate-refusal.ts';
import { CertificateWatch, type HeldCertificate } from './certificate-watch.ts';

/**
 * What is wrong with a certificate that was issued. Each one stays in the storage of the CA, and on its revocation list
 * if it is revoked. A refusal issues nothing.
 */
const ISSUED_IN_VAIN: ReadonlySet<Code> = new Set(['CERTIFICATE_UNFIT', 'BACKEND_MALFORMED'] satisfies Code[]);

const ADVICE = 'Each try issues a certificate. POST /v1/secrets/NAME/refresh of the local API has one made at once.';

/** Fetches certificates, and takes up those that an earlier process kept. */
export interface VaultCertificates {
  readonly fetch: FetchKind<CertificateRequest>;
  /** Undefined when the fields are not fit any more. */
  restore(want: Want, request: CertificateRequest, fields: Fields): Promise<Fetched | undefined>;
  /** Calls `changed` when the certificate of the want must be replaced before its time. */
  watch(want: Want, request: CertificateRequest, changed: () => void): Watching;
}

/**
 * Fetches a certificate from the PKI engine: POST ISSUER/issue/ROLE, PEM, or with a key that is made here POST
 * ISSUER/sign/ROLE: the private key is never sent.
 * https://openbao.org/api-docs/secret/pki/#generate-certificate-and-key
 *
 * The life is read from the certificate itself, not from the answer. What does not fit together (`checkCertificate`) is
 * refused here, before anything is published. The lease of a role with generate_lease=true is ignored; the server
 * revokes such a certificate when the login ends, so leave generate_lease off.
 */
export function createVaultCertificates(deps: VaultCertificateDeps): VaultCertificates {
  const { vault, clock, random } = deps;
  const pacing = new Pacing({
    clock,
    random,
    name: 'certificate',
    costly: ISSUED_IN_VAIN,
    remembered: new Set(),
    advice: ADVICE,
  });
  /** By the want's id, for those that are watched. */
  const held = new Map<string, HeldCertificate>();
  const watcher = new CertificateWatch({ ...deps, held: ({ id }) => held.get(id) });
  const hold = ({ id }: Want, { fields, version: serial }: Fetched) =>
    held.set(id, { serial, issuingCa: text(fields.get('issuingCa')) ?? '' });
  return {
    async fetch({ want, request, last }, signal) {
      const { place } = want;
      const authorities = await authoritiesOf(request, place); // before anything is issued
      const asking = { id: want.id, signal, judgedBy: `${request.upkeep?.clockSkewMs} ${authorities}` };
      pacing.assertMayTry(asking);
      const key = request.key === undefined ? undefined : await localKey(request, last);
      const body = requestBody(request, key);
      const path = certificatePath(request);
      const answer = await vault
        .call({ method: 'POST', path, body, place, idempotent: false }, signal)
        .catch((error: unknown) => {
          throw inServerWords(error);
        });
      const data = withKey(readFields(answer.body, place), key, request);
      const set = setOf(data, place);
      const checked = judged(asking, place, () => check(set, { request, authorities, place }));
      const value = certificateValue(data, checked, text(data.get('serial_number')));
      hold(want, value);
      // The certificate is the one that is held already: a cache on the way answered.
      if (last?.version === value.version && last.fields.size > 0) return { state: 'unchanged', life: value.life };
      const warning = warnOfShortLife(checked.leaf, request, { place, nowMs: clock.wallMs() });
      return changed(value.fields, value.version, value.life, warning);
    },

    async restore(want, request, fields) {
      const { place } = want;
      try {
        const data = answerOf(fields);
        const authorities = await authoritiesOf(request, place);
        const checked = check(setOf(data, place), { request, authorities, place });
        if (request.key !== undefined && !isOfKind(checked.key, request.key)) return undefined;
        const value = certificateValue(data, checked, text(data.get('serial_number')));
        hold(want, value);
        const { leaf } = checked;
        const warning = warnOfShortLife(leaf, request, { place, nowMs: leaf.validFromDate.getTime() });
        return warning === undefined ? value : { ...value, warning };
      } catch {
        return undefined; // the certificate is issued anew, which says what is wrong if that is wrong too
      }
    },

    watch(want, request, changed) {
      const watching = watcher.watch(want, request, changed);
      return {
        follow: (other) => watching.follow?.(other),
        look: () => watching.look?.(),
        [Symbol.dispose]: () => {
          watching[Symbol.dispose]();
          held.delete(want.id);
          pacing.forget(want.id);
        },
      };
    },
  };

  function check(
    { issuingCa, ...set }: IssuedSet,
    { request, authorities, place }: { request: CertificateRequest; authorities: string | undefined; place: string },
  ): CheckedCertificate {
    const expected = {
      authorities: authorities === undefined ? issuingCa : [authorities],
      names: namesOf(request),
      nowMs: clock.wallMs(),
      clockSkewMs: request.upkeep?.clockSkewMs ?? CLOCK_SKEW_MS,
    };
    try {
      return checkCertificate(set, expected);
    } catch (error) {
      if (!(error instanceof UnfitCertificateError)) throw error;
      if (error.kind === 'unreadable') throw malformed(place, error.message);
      throw fail('CERTIFICATE_UNFIT', place, error.message);
    }
  }

  /** Has the next certificate wait when this one was issued in vain. */
  function judged<T>(asking: Asking, place: string, judge: () => T): T {
    try {
      const result = judge();
      pacing.forget(asking.id);
      return result;
    } catch (error) {
      throw new PannierError(pacing.failed(asking, asFailure(error, place)));
    }
  }
}

interface IssuedSet extends CertificateSet {
  /** Undefined when the answer names none; a list of one. */
  readonly issuingCa: readonly string[] | undefined;
}

async function authoritiesOf({ caFile }: CertificateRequest, place: string): Promise<string | undefined> {
  return caFile === undefined ? undefined : await readAuthorities(caFile, place);
}

/** The key of the last certificate when keys are reused, or a new one. */
async function localKey({ key }: CertificateRequest, last: Fetched | undefined): Promise<KeyObject | undefined> {
  if (key === undefined) return undefined;
  const before = key.reuse ? text(last?.fields.get('privateKey')) : undefined;
  if (before !== undefined) {
    const known = loadCrypto().createPrivateKey(before);
    if (isOfKind(known, key)) return known;
  }
  return await makeKey(key);
}

function requestBody(request: CertificateRequest, key: KeyObject | undefined): Record<string, unknown> {
  const { commonName, altNames, ipSans, uriSans, otherSans = [], ttl, notAfter, privateKeyFormat } = request;
  const lists = { alt_names: altNames, ip_sans: ipSans, uri_sans: uriSans, other_sans: otherSans };
  const texts = {
    ttl,
    not_after: notAfter,
    private_key_format: privateKeyFormat === 'pkcs8' && key === undefined ? 'pkcs8' : undefined,
    // The engine takes the names from this, and from the parameters only where the role says so.
    csr: key === undefined ? undefined : certificateRequest(key, namesOf(request)),
  };
  return {
    common_name: commonName,
    format: 'pem',
    ...Object.fromEntries(
      Object.entries(lists).flatMap(([name, list]) => (list.length ? [[name, list.join(',')]] : [])),
    ),
    ...Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined)),
  };
}

/** The names that a certificate must have. As for the engine, an alternative name with an @ is an e-mail address. */
function namesOf({ commonName, altNames, ipSans, uriSans, otherSans = [] }: CertificateRequest): Names {
  const isMail = (name: string) => name.includes('@');
  return {
    commonName,
    dns: altNames.filter((name) => !isMail(name)),
    emails: altNames.filter(isMail),
    ips: ipSans,
    uris: uriSans,
    others: otherSans,
  };
}

function withKey(data: Fields, key: KeyObject | undefined, { privateKeyFormat = 'pkcs8' }: CertificateRequest): Fields {
  if (key === undefined) return data;
  const pem = keyPem(key, privateKeyFormat);
  return new Map<string, Value>([
    ...data,
    ['private_key', Secret.text(pem.trimEnd())],
    ['private_key_type', Secret.text(key.asymmetricKeyType as string)],
  ]);
}

function setOf(data: Fields, place: string): IssuedSet {
  const certificate = text(data.get('certificate'));
  const privateKey = text(data.get('private_key'));
  if (certificate === undefined) throw malformed(place, 'the answer holds no certificate');
  if (privateKey === undefined) throw malformed(place, 'the answer holds no private key');
  const issuer = text(data.get('issuing_ca'));
  const issuingCa = issuer === undefined ? undefined : [issuer];
  const given = data.get('ca_chain');
  const chain = (isList(given) ? given : []).flatMap((one) => text(one) ?? []);
  return { certificate, privateKey, issuingCa, chain: [...chain, ...(issuingCa ?? [])] };
}

/** Gives the fields their names in Pannier, and leaves out other members of the answer. */
function certificateValue(data: Fields, { leaf, chain }: CheckedCertificate, serialNumber: string | undefined) {
  const fields = new Map<string, Value>();
  const put = (name: string, value: Value | undefined) => value !== undefined && fields.set(name, value);
  const seconds = Math.floor(leaf.validToDate.getTime() / 1000);
  const serial = serialNumber ?? serialOf(leaf.serialNumber);
  put('certificate', data.get('certificate'));
  put('privateKey', data.get('private_key'));
  put('privateKeyType', data.get('private_key_type'));
  put('issuingCa', data.get('issuing_ca'));
  put(
    'caChain',
    chain.map((one) => Secret.text(one.trimEnd())),
  );
  put('serialNumber', Secret.text(serial));
  put('expiration', data.get('expiration') ?? Secret.number(String(seconds)));
  return { fields, version: serial, life: certificateLife({ leaf }) };
}

/** The members of an answer that fields were made of. */
function answerOf(fields: Fields): Fields {
  const names = {
    certificate: 'certificate',
    privateKey: 'private_key',
    privateKeyType: 'private_key_type',
    issuingCa: 'issuing_ca',
    caChain: 'ca_chain',
    serialNumber: 'serial_number',
    expiration: 'expiration',
  };
  return new Map(
    Object.entries(names).flatMap(([name, member]): [string, Value][] => {
      const value = fields.get(name);
      return value === undefined ? [] : [[member, value]];
    }),
  );
}

function text(value: Value | undefined): string | undefined {
  if (!isSecret(value) || value.type !== 'string') return undefined;
  return plainText(value) || undefined;
}
