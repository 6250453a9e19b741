import type { Words } from './words.ts';

/** Keys that several kinds of backends have; each kind has words of its own. */
export const backendsWords: Words = {
  'backends.NAME.kind': {
    type: '`vault`, `file`, `aws-secrets-manager`, `acme`, `kubernetes`',
    default: 'required',
    does: '`vault` is HashiCorp Vault or OpenBao, `file` a file on this machine, `aws-secrets-manager` an account of AWS, its Parameter Store included: see [AWS](aws.md); `acme` an issuer of certificates: see [ACME](acme.md); `kubernetes` the Secrets and ConfigMaps of a cluster: see [Kubernetes](kubernetes-source.md)',
    examples: ['vault'],
  },
  'backends.NAME.timeout': {
    type: 'duration',
    default: '`10s`',
    does: 'one request, in total; a renewal or replacement waits for half of the time that is left of what ends, and for a second at least',
    examples: ['5s'],
  },
  'backends.NAME.requests': {
    type: 'map',
    does: 'kinds `vault`, `aws-secrets-manager` and `kubernetes`: how many requests one agent sends, and when the first ones; see [a fleet](fleet.md)',
    examples: [{ perSecond: 20, startSpread: '30s' }],
  },
  'backends.NAME.requests.perSecond': {
    type: 'number',
    default: 'no limit but 16 requests at once',
    does: 'the most requests in a second, for long; logins and renewals count and never wait for it',
    examples: [20],
  },
  'backends.NAME.requests.burst': {
    type: 'number',
    default: 'twice `perSecond`',
    does: 'how many requests may come at once after a quiet time',
    examples: [100],
  },
  'backends.NAME.requests.startSpread': {
    type: 'duration',
    default: '`0s`',
    does: 'the first requests of `run` and `exec` come at a random moment within this time, so that pods that start together do not ask together; not of `init`, which has a deadline',
    examples: ['30s'],
  },
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
