import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AcmeBackendConfig } from '../../src/backend/acme/config/config.ts';
import { acme } from '../../src/backend/acme/kind.ts';
import { Secret } from '../../src/base/secret.ts';
import { briefly, loadWith, problemsOf } from './config.helpers.ts';

const BACKEND = {
  kind: 'acme',
  directory: 'https://ca.example/dir',
  accountKeyFile: './account.key',
  http01: { listen: '0.0.0.0:80' },
};
const BY_DNS = { http01: undefined, dns01: { command: { argv: ['./set'] } } };
const configuration = (backend: object = {}, secret: object = {}) => ({
  backends: { ca: { ...BACKEND, ...backend } },
  secrets: { tls: { acme: { names: ['shop.example'], ...secret } } },
  outputs: { shop: { dir: '/run/shop', files: { a: { content: '{{tls.certificate}}' } } } },
});
const load = async (backend: object = {}, secret: object = {}) => await loadWith(configuration(backend, secret));

describe('a backend of kind acme in the configuration', () => {
  it('has its defaults, and paths beside the file that names them', async () => {
    const { backends, secrets, files } = await load();
    expect(backends.get('ca')).toEqual({
      kind: 'acme',
      name: 'ca',
      address: BACKEND.directory,
      tls: { skipVerify: false },
      timeoutMs: 10_000,
      account: { keyFile: `${dirname(files[0] ?? '')}/account.key`, contact: [], termsAgreed: false },
      http01: { host: '0.0.0.0', port: 80 },
    });
    expect(secrets.get('tls')).toMatchObject({
      backend: 'ca',
      place: 'secrets.tls.acme',
      request: { kind: 'acme', names: ['shop.example'], key: { type: 'ec', curve: 'P-256' } },
    });
  });

  it('takes a program for DNS records, an external account and contacts', async () => {
    const { backends, files } = await load({
      contact: ['ops@shop.example'],
      eab: { keyId: 'kid', hmacKeyFile: 'hmac' },
      dns01: { command: { argv: ['./set', 'x'] }, wait: '30s' },
    });
    const dir = dirname(files[0] ?? '');
    expect(backends.get('ca')).toMatchObject({
      account: { contact: ['mailto:ops@shop.example'], eab: { keyId: 'kid', hmacKeyFile: `${dir}/hmac` } },
      dns01: { command: { argv: [`${dir}/set`, 'x'], timeoutMs: 30_000 }, waitMs: 30_000 },
    });
  });

  it.each<[string, object, object, string]>([
    ['no way to prove names', { http01: undefined }, {}, 'backends.ca.http01'],
    ['no account key', { accountKeyFile: undefined }, {}, 'backends.ca.accountKeyFile'],
    ['two account keys', { accountKey: 'x' }, {}, 'backends.ca.accountKey'],
    ['an external account without its key', { eab: { keyId: 'kid' } }, {}, 'backends.ca.eab.hmacKeyFile'],
    ['a directory that is no URL', { directory: 'ca.example' }, {}, 'backends.ca.directory'],
    ['a contact that is no address', { contact: ['ops'] }, {}, 'backends.ca.contact[0]'],
    ['an empty program', { dns01: { command: { argv: [''] } } }, {}, 'backends.ca.dns01.command.argv[0]'],
    ['no names', {}, { names: [] }, 'secrets.tls.acme.names'],
    ['a name that is none', {}, { names: ['a b'] }, 'secrets.tls.acme.names[0]'],
    ['a key with bits it cannot have', {}, { key: { local: 'ec', bits: 2048 } }, 'secrets.tls.acme.key.bits'],
  ])('with %s is refused', async (_, backend, secret, place) => {
    expect((await briefly(load(backend, secret))).join()).toContain(place);
  });

  it.each<[string, object, readonly string[], readonly string[]]>([
    ['wildcards without dns01', {}, ['*.a.test', 'a.test', '*.b.test'], ['names[0] Add dns01', 'names[2] Add dns01']],
    ['addresses without http01', BY_DNS, ['10.0.0.1', '::1', 'a.test'], ['names[0] Add http01', 'names[1] Add http01']],
    ['wildcards by dns01', BY_DNS, ['*.a.test', 'a.test'], []],
    ['addresses by http01', {}, ['10.0.0.1', 'a.test'], []],
    ['all by both', { dns01: BY_DNS.dns01 }, ['*.a.test', '::1'], []],
  ])('with %s has each name refused that cannot be proved', async (_, backend, names, expected) => {
    const found = await problemsOf(load(backend, { names }));
    expect(found.map(({ place, hint }) => `${place} ${hint.replace(/ to the backend ca, or .*/, '')}`)).toEqual(
      expected.map((end) => `secrets.tls.acme.${end}`),
    );
  });

  it('has no names refused for a backend that is of another kind or has problems of its own', async () => {
    const names = ['*.a.example'];
    const kind = { kind: 'file', path: './a', directory: undefined, accountKeyFile: undefined, http01: undefined };
    expect((await briefly(load(kind, { names }))).join()).not.toContain('names');
    expect((await briefly(load({ contact: ['ops'] }, { names }))).join()).not.toContain('names');
  });

  it('warns of keys that are written literally, and hides them from commands', async () => {
    const { warnings } = await load({ accountKeyFile: undefined, accountKey: 'x', eab: { keyId: 'k', hmacKey: 'y' } });
    const literal = warnings.filter(({ code }) => code === 'CONFIG_LITERAL_SECRET').map(({ place }) => place);
    expect(literal.sort()).toEqual(['backends.ca.accountKey', 'backends.ca.eab.hmacKey']);
    const account = { key: Secret.text('x'), contact: [], termsAgreed: true };
    expect(acme.credentialsIn?.({ account } as unknown as AcmeBackendConfig)).toEqual([account.key]);
  });
});
