import type { Words } from './words.ts';

/** The sections `api`, `proxy` and `admin`. */
export const listenersWords: Words = {
  'api.listeners': {
    type: 'list',
    does: 'sockets and ports, each with its own rules; no two in one place',
    examples: [
      [
        { socket: '/run/pannier/api.sock', mode: '0660', gid: 2000 },
        { listen: '127.0.0.1:8270', tokenFile: '/run/pannier/token' },
      ],
    ],
  },
  'api.listeners[].socket': {
    type: 'path',
    does: 'a unix socket; exactly one of this and `listen`',
    examples: ['/run/pannier/api.sock'],
  },
  'api.listeners[].mode': {
    type: 'mode',
    default: '`"0600"`',
    does: 'with `socket`: mode of the socket file; every process that may write to it may ask',
    examples: ['0660'],
  },
  'api.listeners[].uid': {
    type: 'number',
    default: "the agent's",
    does: 'with `socket`: owner of the socket file',
    examples: [1000],
  },
  'api.listeners[].gid': {
    type: 'number',
    default: "the agent's",
    does: 'with `socket`: group of the socket file',
    examples: [2000],
  },
  'api.listeners[].listen': {
    type: 'text',
    does: '`HOST:PORT` of TCP: `127.0.0.1`, `[::1]` or `localhost`, nothing else',
    examples: ['127.0.0.1:8270'],
  },
  'api.listeners[].tokenFile': {
    type: 'path',
    default: 'required with `listen`',
    does: 'requests must carry the token in this file, which is read again when it changes',
    examples: ['/run/pannier/token'],
  },
  'api.listeners[].secrets': {
    type: 'list of names',
    default: 'all',
    does: 'the secrets that this listener shows; the others do not exist for it',
    examples: [['app', 'db']],
  },
  'api.listeners[].control': {
    type: 'boolean',
    default: '`false`',
    does: 'whether the agent can be stopped over this listener',
  },
  'api.listeners[].maxConnections': {
    type: 'number',
    default: '`256`',
    does: 'connections at once; more are closed when idle, or get 429',
  },
  'api.audit': {
    type: '`all`, `changes`, `off`',
    default: '`changes`',
    does: 'which reads are logged: each, the first of each value by each listener, or none',
  },
  'api.socket': {
    type: 'path',
    does: 'a unix socket; short form of `api.listeners[].socket`, for a single listener',
    examples: ['/run/pannier/api.sock'],
  },
  'api.mode': {
    type: 'mode',
    default: '`"0600"`',
    does: 'mode of the socket file; short form of `api.listeners[].mode`, for a single listener',
    examples: ['0660'],
  },
  'api.uid': {
    type: 'number',
    default: "the agent's",
    does: 'owner of the socket file; short form of `api.listeners[].uid`, for a single listener',
    examples: [1000],
  },
  'api.gid': {
    type: 'number',
    default: "the agent's",
    does: 'group of the socket file; short form of `api.listeners[].gid`, for a single listener',
    examples: [2000],
  },
  'api.listen': {
    type: 'text',
    does: '`HOST:PORT` of TCP on this machine; short form of `api.listeners[].listen`, for a single listener',
    examples: ['127.0.0.1:8270'],
  },
  'api.tokenFile': {
    type: 'path',
    default: 'required with `listen`',
    does: 'requests must carry the token in this file; short form of `api.listeners[].tokenFile`, for a single listener',
    examples: ['/run/pannier/token'],
  },
  'api.secrets': {
    type: 'list of names',
    default: 'all',
    does: 'the secrets that the listener shows; short form of `api.listeners[].secrets`, for a single listener',
    examples: [['app', 'db']],
  },
  'api.control': {
    type: 'boolean',
    default: '`false`',
    does: 'whether the agent can be stopped over the listener; short form of `api.listeners[].control`, for a single listener',
  },
  'api.maxConnections': {
    type: 'number',
    default: '`256`',
    does: 'connections at once; short form of `api.listeners[].maxConnections`, for a single listener',
  },
  'proxy.socket': {
    type: 'path',
    does: 'a unix socket; this, `listen` or both',
    examples: ['/run/pannier/proxy.sock'],
  },
  'proxy.mode': {
    type: 'mode',
    default: '`"0600"`',
    does: 'with `socket`: mode of the socket file; every process that may write to it may ask',
    examples: ['0660'],
  },
  'proxy.uid': {
    type: 'number',
    default: "the agent's",
    does: 'with `socket`: owner of the socket file',
    examples: [1000],
  },
  'proxy.gid': {
    type: 'number',
    default: "the agent's",
    does: 'with `socket`: group of the socket file',
    examples: [2000],
  },
  'proxy.listen': {
    type: 'text',
    does: '`HOST:PORT` of TCP: `127.0.0.1`, `[::1]` or `localhost`, nothing else',
    examples: ['127.0.0.1:8100'],
  },
  'proxy.backend': { type: 'name', default: 'the only one of kind `vault`', does: 'which backend', examples: ['bao'] },
  'proxy.useAutoAuthToken': {
    type: '`true`, `false`, `force`',
    default: '`false`',
    does: "whether the agent's own token goes with requests that have none (`true`) or with all (`force`)",
    examples: [true],
  },
  'proxy.useClientCertificate': {
    type: 'boolean',
    default: '`false`',
    does: 'whether requests of clients go with `tls.certFile` of the backend, with which they may log in',
  },
  'proxy.requireRequestHeader': {
    type: 'boolean',
    default: '`true` on `listen`, `false` on `socket`',
    does: 'refuse requests without `X-Vault-Request: true`; when set, it applies to both',
    examples: [true],
  },
  'proxy.namespaceAsRoot': {
    type: 'boolean',
    default: '`false`',
    does: "whether clients see the backend's `namespace` as the root: `X-Vault-Namespace` of a request is below it",
    examples: [true],
  },
  'proxy.quit': {
    type: 'boolean',
    default: '`false`',
    does: 'whether every client may end the agent, by `POST /agent/v1/quit`',
  },
  'proxy.cache': {
    type: 'map',
    default: 'off',
    does: 'keeps answers that bring leases and tokens, and renews those; `{}` switches it on',
    examples: [{}],
  },
  'proxy.cache.maxEntries': { type: 'number', default: '`1000`', does: 'answers at most' },
  'proxy.cache.maxBytes': { type: 'number', default: '`16777216`', does: 'bytes of all of them together' },
  'proxy.cache.staticKv': {
    type: 'map',
    default: 'off',
    does: "keeps reads of KV secrets under the agent's own login too; `{}` switches it on",
    examples: [{ maxStale: '10s' }],
  },
  'proxy.cache.staticKv.maxStale': {
    type: 'duration',
    default: '`30s`',
    does: 'the greatest age of a kept secret in an answer',
  },
  'admin.listen': {
    type: 'HOST:PORT',
    does: "a TCP port on any interface, since probes and scrapes come by the pod's address: `0.0.0.0:9464`, `[::]:9464`",
    examples: ['0.0.0.0:9464'],
  },
  'admin.socket': { type: 'path', does: 'a unix socket in the place of a port', examples: ['/run/pannier/admin.sock'] },
  'admin.mode': { type: 'mode', default: '`"0600"`', does: 'of the socket', examples: ['0660'] },
  'admin.uid': { type: 'number', does: 'owner of the socket', examples: [1000] },
  'admin.gid': { type: 'number', does: 'group of the socket', examples: [2000] },
};
