import { fail } from '../../../base/errors.ts';
import { isList, plainText } from '../../../base/value.ts';
import { VaultStatusError } from '../client/client.ts';

/** Longer texts are cut. */
const MAX_CHARACTERS = 300;

/** What may be a token: long, of one piece, and with upper and lower case and digits, as no name of a host is. */
const TOKEN_LIKE = /(?=[\w.+/=-]*[A-Z])(?=[\w.+/=-]*[a-z])(?=[\w.+/=-]*\d)[\w.+/=-]{20,}/g;

/** What to do about a refusal, by the words of the server. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/key type "any" not allowed for issuing/i, 'Add key: local, since the role has key_type: any.'],
  [/ip subject alternative names?|ip address/i, 'Set allow_ip_sans of the role, or ask for other ipSans.'],
  [/uri subject alternative names?/i, 'See allowed_uri_sans of the role, or ask for other uriSans.'],
  [/other san/i, 'See allowed_other_sans of the role, or ask for other otherSans.'],
  [/not allowed by this role/i, 'See allowed_domains of the role and what goes with it, or ask for other names.'],
  [/role requires keys? of|key type|key bits|bit length/i, 'See key_type and key_bits of the role, or set key.'],
  [/unknown role/i, 'Correct role, or make this role in the mount.'],
];

/** The server answers with 500 to a name that no issuer has, as if it were ill. */
function noIssuer({ failure: { place, seen } }: VaultStatusError): unknown {
  const hint = 'Correct issuerRef, or give the mount a default issuer.';
  return fail('BACKEND_REJECTED', place, seen, { hint });
}

/**
 * A refusal of the PKI engine (400) in the server's own words, which say what is not allowed: `common name x.example
 * not allowed by this role`. The request held names and the public key alone, and no secret. Words that look like a
 * token are left out all the same. Other errors come back as they are.
 */
export function inServerWords(error: unknown): unknown {
  if (!(error instanceof VaultStatusError)) return error;
  if (error.status >= 500 && error.phrase === 'failed to find issuer') return noIssuer(error);
  if (error.status !== 400) return error;
  const { code, place, seen, hint: given, retry } = error.failure;
  const errors = error.body.get('errors');
  const words = (isList(errors) ? errors : [])
    .map((one) => plainText(one) ?? '')
    .join('; ')
    .replace(/-----BEGIN [\s\S]*/, '…')
    .replace(/[\p{C}\s]+/gu, ' ')
    .replace(TOKEN_LIKE, '…')
    .trim()
    .slice(0, MAX_CHARACTERS);
  const hint = HINTS.find(([pattern]) => pattern.test(words))?.[1] ?? given;
  return words === '' ? error : fail(code, place, `${seen}: the server says "${words}"`, { hint, retry });
}
