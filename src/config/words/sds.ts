import type { Words } from './words.ts';

/** The section `sds`. */
export const sdsWords: Words = {
  'sds.socket': {
    type: 'path',
    does: 'a unix socket; this, `listen` or both. Its directory must exist',
    examples: ['/run/pannier/sds.sock'],
  },
  'sds.mode': {
    type: 'mode',
    default: '`"0600"`',
    does: 'with `socket`: mode of the socket file; every process that may write to it gets every secret of `sds`',
    examples: ['0660'],
  },
  'sds.uid': {
    type: 'number',
    default: "the agent's",
    does: 'with `socket`: owner of the socket file',
    examples: [101],
  },
  'sds.gid': {
    type: 'number',
    default: "the agent's",
    does: 'with `socket`: group of the socket file',
    examples: [101],
  },
  'sds.listen': {
    type: 'text',
    does: '`HOST:PORT` of TCP: `127.0.0.1`, `[::1]` or `localhost`, nothing else; needs `tokenFile`',
    examples: ['127.0.0.1:8234'],
  },
  'sds.tokenFile': {
    type: 'path',
    default: 'required with `listen`',
    does: 'with `listen`: calls must carry the token in this file as metadata `x-pannier-token`',
    examples: ['/run/pannier/token'],
  },
  'sds.maxStreams': {
    type: 'number',
    default: '`2000`',
    does: 'streams that all clients of a listener may have open; Envoy opens one for each secret',
    examples: [10000],
  },
  'sds.secrets': {
    type: 'map',
    does: 'what clients get, by the name that they ask for: the name of a secret, whose certificate and key are served, or a map with exactly one of `certificate`, `trust`, `generic`, `sessionTickets`',
    examples: [{ server_cert: 'tls', ROOTCA: { trust: 'tls' } }],
  },
  'sds.secrets.NAME.certificate': {
    type: 'name',
    does: 'the long form of the name: a secret with `certificate`, `privateKey` and `caChain`',
    examples: ['tls'],
  },
  'sds.secrets.NAME.trust': {
    type: 'name',
    does: 'a validation context with the authorities of a certificate secret (`issuingCa` and `caChain`), or those in the PEM text of `NAME.FIELD`',
    examples: ['tls', 'ca.bundle'],
  },
  'sds.secrets.NAME.match': {
    type: 'list of maps',
    default: 'any name',
    does: 'with `trust`: one of these names must be in the certificate of a peer',
    examples: [[{ dns: 'client.shop.svc' }]],
  },
  'sds.secrets.NAME.match[].dns': { type: 'text', does: 'a DNS name', examples: ['client.shop.svc'] },
  'sds.secrets.NAME.match[].uri': { type: 'text', does: 'a URI', examples: ['spiffe://shop.example/client'] },
  'sds.secrets.NAME.match[].email': { type: 'text', does: 'an e-mail address', examples: ['ann@shop.example'] },
  'sds.secrets.NAME.match[].ip': { type: 'text', does: 'an IP address', examples: ['10.0.0.7'] },
  'sds.secrets.NAME.match[].by': {
    type: '`exact`, `prefix`, `suffix`, `contains`',
    default: '`exact`',
    does: 'how the name is compared',
    examples: ['prefix'],
  },
  'sds.secrets.NAME.crl': {
    type: 'name',
    does: 'with `trust`: `NAME.FIELD` with a list of revoked certificates in PEM',
    examples: ['ca.crl'],
  },
  'sds.secrets.NAME.crlOfLeafOnly': {
    type: 'boolean',
    default: '`false`',
    does: "with `crl`: the list counts for a peer's own certificate only, so that the authorities need none",
  },
  'sds.secrets.NAME.maxDepth': {
    type: 'number',
    default: "Envoy's, 100",
    does: 'with `trust`: how long the chain of a peer may be, without its own certificate',
    examples: [2],
  },
  'sds.secrets.NAME.generic': {
    type: 'name',
    does: 'a generic secret: the value of `NAME.FIELD`, or with `NAME` all fields as a map',
    examples: ['app.token', 'app'],
  },
  'sds.secrets.NAME.sessionTickets': {
    type: 'map',
    does: 'keys for session tickets of TLS, made by the agent and only in its memory; `{}` takes the defaults',
    examples: [{ rotate: '12h', keep: 3 }],
  },
  'sds.secrets.NAME.sessionTickets.rotate': {
    type: 'duration',
    default: '`12h`',
    does: 'how often a new key encrypts new tickets',
  },
  'sds.secrets.NAME.sessionTickets.keep': {
    type: 'number',
    default: '`3`',
    does: 'how many keys decrypt tickets, the newest included',
  },
  'sds.onDemand': {
    type: 'map',
    default: 'off',
    does: 'certificates that are issued when a client asks for their names',
    examples: [{ match: '*.shop.svc', certificate: { issuer: 'pki', role: 'shop', ttl: '24h' } }],
  },
  'sds.onDemand.match': {
    type: 'text or list',
    default: 'required',
    does: 'DNS names, in which `*` stands for one label: no other name is issued',
    examples: ['*.shop.svc', ['*.shop.svc', 'shop.example']],
  },
  'sds.onDemand.backend': { type: 'name', default: 'the only one', does: 'which backend', examples: ['bao'] },
  'sds.onDemand.certificate': {
    type: 'map',
    default: 'required',
    does: 'the keys of `secrets.NAME.certificate`; `{name}` in a text stands for the name that is asked for, and is the default of `commonName`',
    examples: [{ issuer: 'pki', role: 'shop', ttl: '24h' }],
  },
  'sds.onDemand.max': {
    type: 'number',
    default: '`1000`',
    does: 'names at once; at the limit the one that no client has followed for longest gives way',
    examples: [10000],
  },
};
