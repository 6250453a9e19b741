import { isSecret, type Value } from '../../base/value.ts';
import { CertificateFault } from './fault.ts';

/**
 * The password of a keystore or a key, as its readers take it.
 * @throws CertificateFault for one that is empty, which keytool does not read, and for one that nobody can type.
 */
export function readPassword(value: Value | undefined): string {
  if (!isSecret(value) || value.type === 'null' || value.type === 'bytes') {
    throw new CertificateFault('the password is no text');
  }
  const password = value.exposeText('file');
  if (password === '')
    throw new CertificateFault('the password is empty, and keytool does not read such a file', SET_ONE);
  if (!password.isWellFormed()) throw new CertificateFault('the password holds half a surrogate pair', SET_ONE);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the pattern refuses
  if (/[\0-\x1f\x7f]/.test(password)) {
    const hint = 'Store it without the line end after it.';
    throw new CertificateFault('the password holds a line end or another control character', hint);
  }
  return password;
}

const SET_ONE = 'Store a password there.';
