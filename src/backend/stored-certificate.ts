import { fail } from '../base/errors.ts';
import { type Fields, otherFields, plainText } from '../base/value.ts';
import { type CheckedCertificate, checkCertificate, UnfitCertificateError } from '../certificate/check.ts';
import { privateKeyIn, unfolded } from '../certificate/pem.ts';
import type { StoredCertificate } from '../config/config.ts';
import type { Fetch, Fetched, Source, Want } from './backend.ts';
import { CLOCK_SKEW_MS, readAuthorities } from './certificate-authorities.ts';
import { certificateFields, certificateLife } from './certificate-fields.ts';

/** By the fields of a certificate: the answer that they were made of, which the source compares the next one with. */
const answers = new WeakMap<Fields, Fetched>();

/**
 * Fetches a certificate that a backend stores: any request whose answer has it in fields. The fields become those of a
 * certificate that is issued, and a set that does not fit together is refused, see `checkCertificate`. Others renew it,
 * so it is read at `refresh`; it ends as it says.
 * @throws PannierError CERTIFICATE_UNFIT, CERTIFICATE_CA_UNREADABLE, and what the source throws.
 */
export async function fetchStoredCertificate(
  source: Pick<Source, 'fetch'>,
  want: Want & { readonly request: { readonly certificateFrom: StoredCertificate } },
  last: Fetched | undefined,
  signal: AbortSignal,
  nowMs: number,
): Promise<Fetch> {
  const before = last === undefined ? undefined : answers.get(last.fields);
  const answer = await source.fetch(want, before, signal);
  if (answer.state === 'unchanged') {
    return last === undefined ? answer : { ...answer, life: last.life, version: last.version };
  }
  const { certificateFrom } = want.request;
  const { caFile, clockSkewMs = CLOCK_SKEW_MS } = certificateFrom;
  const authorities = caFile === undefined ? undefined : [await readAuthorities(caFile, want.place)];
  const { fields } = answer.value;
  const pem = (name: string) => textOf(fields, name, want.place);
  const certificate = pem(certificateFrom.certificate);
  const key = pem(certificateFrom.privateKey);
  const privateKey = privateKeyIn(key) ?? key;
  // A field of the chain that is empty is one without a chain: a root has issued the certificate.
  const chain =
    certificateFrom.chain === undefined ? [] : [pem(certificateFrom.chain)].filter((one) => one.trim() !== '');
  let checked: CheckedCertificate;
  try {
    checked = checkCertificate({ certificate, privateKey, chain }, { authorities, nowMs, clockSkewMs });
  } catch (error) {
    if (!(error instanceof UnfitCertificateError)) throw error;
    throw fail('CERTIFICATE_UNFIT', want.place, error.message);
  }
  const made = certificateFields(checked);
  answers.set(made, answer.value);
  const life = { ...certificateLife(checked), stored: true } as const;
  return Object.freeze({ state: 'changed', value: Object.freeze({ ...answer.value, fields: made, life }) });
}

function textOf(fields: Fields, name: string, place: string): string {
  const text = plainText(fields.get(name));
  if (text !== undefined) return unfolded(text);
  const { meant, hint } = otherFields(fields, name);
  const details = hint === undefined ? {} : { hint };
  const seen = fields.has(name) ? `the field ${name} holds no text` : `there is no field ${name}${meant}`;
  throw fail('CERTIFICATE_UNFIT', place, seen, details);
}
