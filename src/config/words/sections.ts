import type { Words } from './words.ts';

/** The sections of a configuration. */
export const sectionsWords: Words = {
  version: { type: '`1`', default: 'required in one file', does: 'version of this format', examples: [1] },
  backends: {
    type: 'map',
    does: 'places that secrets come from, each with its login',
    examples: [
      { bao: { kind: 'vault', address: 'https://openbao:8200', auth: { method: 'kubernetes', role: 'shop' } } },
    ],
  },
  secrets: {
    type: 'map',
    does: 'things to fetch, each in exactly one way',
    examples: [{ app: { kv: 'secret/shop/app' } }],
  },
  outputs: {
    type: 'map',
    does: 'files to publish, in groups that change together',
    examples: [{ shop: { dir: '/run/secrets/shop', files: { 'app.env': { format: 'dotenv', from: 'app' } } } }],
  },
  log: { type: 'map', does: 'the log of Pannier itself', examples: [{ level: 'debug', format: 'json' }] },
  exec: {
    type: 'map',
    does: 'the application as a child of `pannier exec`',
    examples: [{ command: ['./shop', '--port', '8080'], env: { DB_PASSWORD: '{{db.password}}' } }],
  },
  api: {
    type: 'map',
    does: 'the [local API](api.md); either `listeners`, or the keys of a single one',
    examples: [{ socket: '/run/pannier/api.sock' }],
  },
  proxy: {
    type: 'map',
    does: 'a way for [clients of the backend](proxy.md) to reach it through the agent',
    examples: [{ socket: '/run/pannier/proxy.sock', useAutoAuthToken: true }],
  },
  admin: {
    type: 'map',
    does: 'health, metrics and a [status page](status-page.md), never values; see [docs/agent.md](agent.md#health) and [metrics](metrics.md)',
    examples: [{ listen: '0.0.0.0:9464' }],
  },
  sds: {
    type: 'map',
    does: 'certificates and other secrets for Envoy, over its [secret discovery service](sds.md)',
    examples: [{ socket: '/run/pannier/sds.sock', secrets: { server_cert: 'tls' } }],
  },
  state: {
    type: 'map',
    does: 'keeps what is known, encrypted, for the [next start](state.md)',
    examples: [{ path: '/run/pannier-state', keyFile: '/etc/pannier/state.key' }],
  },
};
