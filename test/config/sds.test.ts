import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import type { SdsConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { makeFolder, problemsOf } from './config.helpers.ts';

const bao = { kind: 'vault', address: 'http://127.0.0.1:1', auth: { method: 'token', token: '${env:T}' } };
const secrets = { tls: { certificate: { issuer: 'pki', role: 'r', commonName: 'c' } }, app: { kv: 'secret/app' } };

function load(sds: unknown, more: object = {}) {
  const cwd = makeFolder({ 'pannier.json': JSON.stringify({ version: 1, backends: { bao }, secrets, sds, ...more }) });
  return loadConfig({ kinds: BACKEND_KINDS, paths: ['pannier.json'], env: { T: 't' }, cwd });
}

const resolved = async (sds: unknown): Promise<SdsConfig> => (await load(sds)).sds as SdsConfig;

const briefly = async (sds: unknown, more?: object) =>
  (await problemsOf(load(sds, more))).map(({ code, place }) => `${code} ${place}`);

describe('the section sds', () => {
  it('names what is served, with defaults', async () => {
    const {
      listeners,
      maxStreams,
      secrets: named,
    } = await resolved({
      socket: '/run/sds.sock',
      secrets: {
        server_cert: 'tls',
        ROOTCA: { trust: 'tls', match: [{ uri: 'spiffe://x/', by: 'prefix' }], crl: 'app.crl', maxDepth: 2 },
        api_token: { generic: 'app.token' },
        all: { generic: 'app' },
        'sds://tickets': { sessionTickets: {} },
      },
    });
    expect(listeners).toEqual([{ where: { kind: 'unix', path: '/run/sds.sock', mode: 0o600 }, place: 'sds' }]);
    expect(maxStreams).toBe(2000);
    expect(Object.fromEntries(named)).toMatchObject({
      server_cert: { kind: 'certificate', from: { secret: 'tls' }, place: 'sds.secrets.server_cert' },
      ROOTCA: {
        kind: 'trust',
        names: [{ type: 'uri', comparison: 'prefix', value: 'spiffe://x/' }],
        crl: { secret: 'app', field: 'crl' },
        maxDepth: 2,
      },
      api_token: { kind: 'generic', from: { secret: 'app', field: 'token' } },
      all: { kind: 'generic', from: { secret: 'app' } },
      'sds://tickets': { kind: 'session-tickets', rotateMs: 43_200_000, keep: 3 },
    });
  });

  it('names certificates on demand, with the name in each text of the request', async () => {
    const certificate = { issuer: 'pki', role: 'r', altNames: ['{name}', 'alt-{name}'], ttl: '1h' };
    const { onDemand } = await resolved({ socket: 's', onDemand: { match: '*.Shop.svc', certificate } });
    expect(onDemand).toMatchObject({
      match: ['*.shop.svc'],
      backend: 'bao',
      max: 1000,
      place: 'sds.onDemand.certificate',
      request: {
        kind: 'vault-certificate',
        commonName: 'on-demand.pannier.invalid',
        altNames: ['on-demand.pannier.invalid', 'alt-on-demand.pannier.invalid'],
        ttl: '3600s',
      },
    });
  });

  it.each<[string, object, string[]]>([
    ['nowhere to listen', { secrets: { a: 'tls' } }, ['CONFIG_MISSING sds']],
    ['nothing to serve', { socket: 's' }, ['CONFIG_MISSING sds.secrets']],
    ['a port without a token', { listen: '127.0.0.1:1', secrets: { a: 'tls' } }, ['CONFIG_MISSING sds.tokenFile']],
    [
      'a port for others',
      { listen: '0.0.0.0:1', tokenFile: 't', secrets: { a: 'tls' } },
      ['CONFIG_INVALID sds.listen'],
    ],
    ['a token for a socket', { socket: 's', tokenFile: 't', secrets: { a: 'tls' } }, ['CONFIG_INVALID sds.tokenFile']],
    [
      'a mode for a port',
      { listen: '127.0.0.1:1', tokenFile: 't', mode: '0600', secrets: { a: 'tls' } },
      ['CONFIG_INVALID sds.mode'],
    ],
    ['an unknown secret', { socket: 's', secrets: { a: 'tlz' } }, ['CONFIG_UNKNOWN_SECRET sds.secrets.a']],
    ['a field of a certificate', { socket: 's', secrets: { a: 'tls.certificate' } }, ['CONFIG_INVALID sds.secrets.a']],
    ['a number', { socket: 's', secrets: { a: 7 } }, ['CONFIG_INVALID sds.secrets.a']],
    ['an empty map', { socket: 's', secrets: { a: {} } }, ['CONFIG_MISSING sds.secrets.a']],
    ['two things', { socket: 's', secrets: { a: { trust: 'tls', generic: 'app' } } }, ['CONFIG_INVALID sds.secrets.a']],
    ['an unknown key', { socket: 's', secrets: { a: { trus: 'tls' } } }, ['CONFIG_UNKNOWN_KEY sds.secrets.a.trus']],
    [
      'keys of trust beside another',
      { socket: 's', secrets: { a: { generic: 'app', match: [], maxDepth: 1 } } },
      ['CONFIG_INVALID sds.secrets.a.match', 'CONFIG_INVALID sds.secrets.a.maxDepth'],
    ],
    [
      'matchers without a name and with two',
      { socket: 's', secrets: { a: { trust: 'tls', match: [{}, { dns: 'a', uri: 'b' }] } } },
      ['CONFIG_INVALID sds.secrets.a.match[0]', 'CONFIG_INVALID sds.secrets.a.match[1]'],
    ],
    [
      'an address that is none',
      { socket: 's', secrets: { a: { trust: 'tls', match: [{ ip: '999.1.1.1' }, { ip: '10.', by: 'prefix' }] } } },
      ['CONFIG_INVALID sds.secrets.a.match[0].ip'],
    ],
    [
      'a list without a field',
      { socket: 's', secrets: { a: { trust: 'tls', crl: 'app' } } },
      ['CONFIG_INVALID sds.secrets.a.crl'],
    ],
    [
      'a pattern that is no name',
      { socket: 's', onDemand: { match: ['ok.svc', '*.*svc'], certificate: { issuer: 'p', role: 'r' } } },
      ['CONFIG_INVALID sds.onDemand.match[1]'],
    ],
    [
      'a certificate without a role',
      { socket: 's', onDemand: { match: '*.svc', certificate: { issuer: 'p' } } },
      ['CONFIG_MISSING sds.onDemand.certificate.role'],
    ],
    [
      'a certificate that is the same for all',
      { socket: 's', onDemand: { match: '*.svc', certificate: { issuer: 'p', role: 'r', commonName: 'fixed' } } },
      ['CONFIG_INVALID sds.onDemand.certificate'],
    ],
    [
      'several at once',
      { secrets: { a: 'tlz', b: { generic: 'nothing.x' } }, maxStreams: 0 },
      [
        'CONFIG_INVALID sds.maxStreams',
        'CONFIG_MISSING sds',
        'CONFIG_UNKNOWN_SECRET sds.secrets.a',
        'CONFIG_UNKNOWN_SECRET sds.secrets.b.generic',
      ],
    ],
  ])('is refused with %s', async (_, sds, expected) => {
    expect(await briefly(sds)).toEqual(expected);
  });

  it('is refused when its socket is that of another listener', async () => {
    expect(await briefly({ socket: 's', secrets: { a: 'tls' } }, { api: { socket: 's' } })).toEqual([
      'CONFIG_DUPLICATE sds.socket',
    ]);
  });
});
