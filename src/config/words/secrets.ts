import type { Words } from './words.ts';

/** Keys of every secret. */
export const secretsWords: Words = {
  'secrets.NAME.backend': {
    type: 'name',
    default: 'the only one',
    does: 'which backend; required when there are several',
    examples: ['bao'],
  },
  'secrets.NAME.refresh': {
    type: 'duration',
    default: '`5m`',
    does: 'how often a secret without a lease and without an end is fetched; a static role at the earlier of this and its rotation',
    examples: ['30s'],
  },
  'secrets.NAME.optional': {
    type: 'boolean',
    default: '`false`',
    does: 'when the first fetch fails the secret counts as absent and holds nothing up; an absent one is fetched again at its `refresh`, and logged once',
  },
  'secrets.NAME.certificateFrom': {
    type: 'map',
    does: 'the answer holds [a certificate that is stored](certificates.md#a-certificate-that-is-stored): the secret has the fields of one, and is checked as one',
    examples: [{ certificate: 'tls.crt', privateKey: 'tls.key' }],
  },
  'secrets.NAME.certificateFrom.certificate': {
    type: 'text',
    default: 'required without `bundle`',
    does: 'the field with the certificate in PEM, which its chain may follow',
    examples: ['tls.crt'],
  },
  'secrets.NAME.certificateFrom.privateKey': {
    type: 'text',
    default: 'required without `bundle`',
    does: 'the field with the private key in PEM; it may be the same one',
    examples: ['tls.key'],
  },
  'secrets.NAME.certificateFrom.bundle': {
    type: 'text',
    does: 'the one field with key, certificate and chain, such as that of a [pod certificate](certificates.md#a-pod-certificate)',
    examples: ['value'],
  },
  'secrets.NAME.certificateFrom.chain': {
    type: 'text',
    does: 'the field with the certificates of its chain, in any order',
    examples: ['ca.crt'],
  },
  'secrets.NAME.certificateFrom.ca': {
    type: 'path',
    default: 'the chain, if there is one',
    does: 'file with CA certificates; a certificate that none of them has issued is refused',
    examples: ['/etc/shop/root.pem'],
  },
  'secrets.NAME.certificateFrom.clockSkew': {
    type: 'duration',
    default: '`5m`',
    does: 'how far in the future the certificate may begin',
    examples: ['30s'],
  },
  'secrets.NAME.maxStale': {
    type: 'duration',
    default: 'no limit',
    does: 'how old the last good value may grow while the backend fails',
    examples: ['24h'],
  },
};
