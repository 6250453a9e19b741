import type { X509Certificate } from 'node:crypto';
import { asFailure, fail } from '../../../base/errors.ts';
import { loadCrypto } from '../../../base/node-crypto.ts';
import { Secret } from '../../../base/secret.ts';
import { type Fields, isFields, isList, lookUp, plainNumber, plainText, type Value } from '../../../base/value.ts';
import type { TrustBundleRequest } from '../config/request.ts';
import { type FetchKind, malformed, settleFetch, type VaultSourceDeps } from './answer.ts';

/** Limits the requests of one fetch. */
const MAX_ISSUERS = 100;

/** A certificate of an authority, by its fingerprint in the maps below. */
interface Authority {
  readonly certificate: X509Certificate;
  readonly pem: string;
}

/**
 * Fetches the certificates of all issuers of a PKI mount: LIST ISSUER/issuers, then for each GET ISSUER/issuer/ID/json
 * and GET ISSUER/cert/SERIAL, which says whether it was revoked. These paths need no policy.
 * https://openbao.org/api-docs/secret/pki/#list-issuers
 *
 * A mount that gets a new authority keeps the old one as an issuer, so the bundle has both. An authority that was
 * deleted from the mount stays in the bundle for `overlap`, since certificates that it issued are still in use. One
 * that was revoked, or has ended, leaves at once. The field `leaving` says when a deleted one leaves: what is known of
 * it is in the fields of the value before, so a restarted agent begins with what the mount has.
 */
export function createVaultTrustBundle({ vault, clock, nextVersion }: VaultSourceDeps): FetchKind<TrustBundleRequest> {
  return async ({ want: { place }, request: { issuer, overlapMs }, last }, signal) => {
    const get = async (method: 'GET' | 'LIST', path: string): Promise<Fields> => {
      const { body } = await vault.call({ method, path: `${issuer}/${path}`, place, idempotent: true }, signal);
      const data = body.get('data');
      if (!isFields(data)) throw malformed(place, 'the answer has no data');
      return data;
    };
    const isRevoked = async (serial: string | undefined): Promise<boolean> => {
      if (serial === undefined) return false;
      try {
        return (plainNumber((await get('GET', `cert/${serial}`)).get('revocation_time')) ?? 0) > 0;
      } catch (error) {
        // An authority that was imported is not among the certificates of the mount.
        if (asFailure(error, place).code === 'SECRET_NOT_FOUND') return false;
        throw error;
      }
    };
    const listed = await get('LIST', 'issuers');
    const ids = textsOf(listed.get('keys'));
    if (ids.length > MAX_ISSUERS) throw malformed(place, `the mount has more than ${MAX_ISSUERS} issuers`);
    const answers = await Promise.all(
      ids.map(async (id) => ({
        certificate: plainText((await get('GET', `issuer/${encodeURIComponent(id)}/json`)).get('certificate')),
        revoked: await isRevoked(plainText(lookUp(listed, 'key_info', id, 'serial_number'))),
      })),
    );
    const read = (some: typeof answers) =>
      byFingerprint(some.map(({ certificate }) => authorityOf(certificate, place)));
    const present = read(answers.filter(({ revoked }) => !revoked));
    const revoked = read(answers.filter(({ revoked }) => revoked));
    const nowMs = clock.wallMs();

    const all = new Map(present);
    const leaving = new Map<string, Value>();
    for (const [fingerprint, authority] of authoritiesIn(last?.fields, place)) {
      if (present.has(fingerprint) || revoked.has(fingerprint)) continue;
      const known = plainText(lookUp(last?.fields, 'leaving', fingerprint));
      const leavesMs = known === undefined ? nowMs + overlapMs : Date.parse(known);
      if (leavesMs <= nowMs) continue;
      all.set(fingerprint, authority);
      leaving.set(fingerprint, Secret.text(new Date(leavesMs).toISOString()));
    }
    const lasting = [...all.values()].filter(({ certificate }) => certificate.validToDate.getTime() > nowMs);
    if (lasting.length === 0)
      throw fail('SECRET_EMPTY', place, 'no issuer of the mount has a certificate that is valid');
    const pems = lasting.toSorted(newestFirst).map(({ pem }) => pem);
    const fields: Fields = new Map<string, Value>([
      ['caChain', pems.map((pem) => Secret.text(pem))],
      ['bundle', Secret.text(pems.map((pem) => `${pem}\n`).join(''))],
      ['leaving', leaving],
    ]);
    return settleFetch({ last, fields, life: { kind: 'none' } }, nextVersion);
  };
}

const textsOf = (value: Value | undefined): readonly string[] =>
  isList(value) ? value.flatMap((item) => plainText(item) ?? []) : [];

const authoritiesIn = (fields: Fields | undefined, place: string): ReadonlyMap<string, Authority> =>
  byFingerprint(textsOf(fields?.get('caChain')).map((pem) => authorityOf(pem, place)));

const byFingerprint = (all: readonly Authority[]): ReadonlyMap<string, Authority> =>
  new Map(all.map((one) => [one.certificate.fingerprint256, one]));

function authorityOf(pem: string | undefined, place: string): Authority {
  try {
    return { certificate: new (loadCrypto().X509Certificate)(pem ?? ''), pem: (pem ?? '').trim() };
  } catch {
    // What OpenSSL says may quote its input.
    throw malformed(place, 'an issuer of the mount has no certificate that can be read');
  }
}

/** An order that does not depend on that of the answer, so that an equal bundle has equal bytes. */
function newestFirst({ certificate: a }: Authority, { certificate: b }: Authority): number {
  const byStart = b.validFromDate.getTime() - a.validFromDate.getTime();
  return byStart === 0 ? a.fingerprint256.localeCompare(b.fingerprint256) : byStart;
}
