import { fail } from '../../../base/errors.ts';
import { isList, plainText } from '../../../base/value.ts';
import { VaultStatusError } from '../client/client.ts';

/** Longer texts are cut. */
const MAX_CHARACTERS = 300;

/** What may be a token: long, of one piece, and with upper and lower case and digits, as no name of a host is. */
const TOKEN_LIKE = /(?=[\w.+/=-]*[A-Z])(?=[\w.+/=-]*[a-z])(?=[\w.+/=-]*\d)[\w.+/=-]{20,}/g;

/**
 * A refusal of the PKI engine (400) in the server's own words, which say what is not allowed: `common name x.example
 * not allowed by this role`. The request held names and the public key alone, and no secret. Words that look like a
 * token are left out all the same. Other errors come back as they are.
 */
export function inServerWords(error: unknown): unknown {
  if (!(error instanceof VaultStatusError) || error.status !== 400) return error;
  const { code, place, seen, hint, retry } = error.failure;
  const errors = error.body.get('errors');
  const words = (isList(errors) ? errors : [])
    .map((one) => plainText(one) ?? '')
    .join('; ')
    .replace(/-----BEGIN [\s\S]*/, '…')
    .replace(/[\p{C}\s]+/gu, ' ')
    .replace(TOKEN_LIKE, '…')
    .trim()
    .slice(0, MAX_CHARACTERS);
  return words === '' ? error : fail(code, place, `${seen}: the server says "${words}"`, { hint, retry });
}
