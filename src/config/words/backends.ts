import type { Words } from './words.ts';

/** Keys that several kinds of backends have; each kind has words of its own. */
export const backendsWords: Words = {
  'backends.NAME.kind': {
    type: '`vault`, `file`, `aws-secrets-manager`, `acme`',
    default: 'required',
    does: '`vault` is HashiCorp Vault or OpenBao, `file` a file on this machine, `aws-secrets-manager` an account of AWS, its Parameter Store included: see [AWS](aws.md); `acme` an issuer of certificates: see [ACME](acme.md)',
    examples: ['vault'],
  },
  'backends.NAME.timeout': { type: 'duration', default: '`10s`', does: 'one request, in total', examples: ['5s'] },
  'backends.NAME.tls': {
    type: 'map',
    does: 'how the agent checks the server, and its client certificate',
    examples: [{ caFile: '/etc/ssl/openbao-ca.pem' }],
  },
  'backends.NAME.tls.caFile': {
    type: 'path',
    default: "`VAULT_CACERT`, then `BAO_CACERT`, else the system's",
    does: 'certificates to trust',
    examples: ['/etc/ssl/openbao-ca.pem'],
  },
};
