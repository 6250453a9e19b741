import { held, inFile, type Section } from './promise.ts';

const stores = 'test/render/certificate/stores.test.ts';
const keystore = inFile(stores, 'a PKCS#12 keystore');
const truststore = inFile(stores, 'a truststore');
const bytes = inFile(stores, 'the bytes of a store');
const bundle = inFile('test/backend/vault/source/trust-bundle.test.ts', 'a trust bundle');
const refused = 'test/render/certificate/refused.test.ts';

export const keystores: Section = {
  name: 'Certificates and keystores',
  promises: [
    held(
      'keystore-equal',
      'Equal secrets give equal keystores and encrypted keys, and no salt serves two contents.',
      bytes('are the same for the same secrets, and other ones when anything differs'),
      bytes('do not repeat a salt or a vector within one file'),
      inFile(
        'test/render/certificate/parts.test.ts',
        'a private key',
      )('of type %s is encrypted as PKCS#8, the same each time'),
    ),
    held(
      'keystore-read',
      'OpenSSL, Node and Java read a keystore, and Java trusts what a truststore holds.',
      keystore('of a key of type %s is read by OpenSSL', 'ec'),
      keystore('of a key of type %s serves TLS in Node, with its chain'),
      keystore('is read by keytool of a JDK'),
      keystore('and a truststore serve and verify TLS in Java'),
      truststore('has entries that Java trusts, and no key'),
    ),
    held(
      'key-of-leaf',
      'A private key that belongs to none of the certificates beside it is written in no form, nor are they.',
      inFile(refused, 'certificates that cannot be written as asked')('format %s from %s with %j'),
      inFile(refused, 'certificates that cannot be written as asked')('are refused by a helper, too'),
    ),
    held(
      'keystore-password',
      'A keystore is never written without a password, which is not empty.',
      inFile(refused, 'the password of a keystore')('is refused when it %s', 'is empty'),
      inFile(refused, 'options that no secret could satisfy')('are found before any value is known: %s with %j'),
    ),
    held(
      'trust-bundle-overlap',
      'A trust bundle holds every issuer of its mount, and a deleted one for `overlap`; a revoked one leaves at once.',
      bundle('keeps an authority that was deleted from the mount for the overlap, and no longer'),
      bundle('drops an authority at once that was revoked, that ends, or without an overlap'),
      inFile(
        'test/backend/vault/source/openbao.test.ts',
        'a trust bundle',
      )('follows the authorities of a mount, and a login needs no policy for it'),
    ),
    held(
      'keystore-hidden',
      'A private key and the password of a keystore are in the outputs alone: in no message, log line or temporary file.',
      inFile(
        'test/system/canary-certificates.test.ts',
        'a private key and the password of a keystore',
      )('come out in the outputs only, with good files and with bad ones, and every debug switch on'),
      inFile(refused, 'the password of a keystore')('is refused when it %s', 'ends with a line end'),
      inFile('test/config/problems.test.ts', 'outputs')('a password that is written literally is not shown'),
    ),
  ],
};
