import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../../../src/backend/backend.ts';
import { openVaultBackend } from '../../../../src/backend/vault/open.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { enableKv, type OpenBao, startOpenBao } from '../../../servers/index.ts';
import { config, failureOf, never, wantOf } from '../source/vault.helpers.ts';

let bao: OpenBao;
let backend: Backend;
beforeAll(async () => {
  bao = await startOpenBao();
  for (const type of ['pki', 'transit', 'ssh']) await bao.api('POST', `sys/mounts/${type}`, { type });
  await enableKv(bao, 'secret', 2);
  await bao.api('POST', 'pki/root/generate/internal', { common_name: 'root', ttl: '24h' });
  await bao.api('POST', 'pki/roles/shop', { allowed_domains: 'shop.svc', allow_bare_domains: true });
  await bao.api('POST', 'pki/roles/no-ip', { allow_any_name: true, allow_ip_sans: false });
  await bao.api('POST', 'transit/keys/key', {});
  await bao.api('POST', 'transit/keys/signing', { type: 'ed25519' });
  await bao.api('POST', 'transit/keys/derived', { derived: true });
  await bao.api('POST', 'ssh/config/ca', { generate_signing_key: true });
  await bao.api('POST', 'ssh/roles/shop', { key_type: 'ca', allow_user_certificates: true, allowed_users: 'u' });
  const auth = { method: 'token', mount: 'token', revokeOnExit: false, token: Secret.text(bao.rootToken) } as const;
  const context = { clock: systemClock, random: Math.random, emit: () => {}, env: {}, version: '0', kept: new Map() };
  backend = openVaultBackend({ ...config, address: bao.address, auth }, context);
}, 60_000);
afterAll(async () => {
  await backend[Symbol.asyncDispose]();
  await bao.stop();
});

const NAME = 'canary.example';
const SEALED = 'vault:v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

describe('a request that an engine of a real OpenBao rejects', () => {
  it.each<[path: string, data: object, told: string]>([
    ['pki/issue/shop', {}, 'the common_name field is required'],
    ['pki/issue/shop', { common_name: NAME }, 'the common name is not allowed by this role'],
    ['pki/issue/shop', { common_name: 'shop.svc', alt_names: NAME }, 'an alternative name is not allowed by this role'],
    ['pki/issue/shop', { common_name: 'shop.svc', ip_sans: NAME }, 'not a valid IP address'],
    ['pki/issue/shop', { common_name: 'shop.svc', ttl: NAME }, 'ttl is not a duration'],
    ['pki/issue/shop', { common_name: 'shop.svc', uri_sans: NAME }, 'the URIs are not allowed by this role'],
    ['pki/issue/shop', { common_name: 'shop.svc', other_sans: NAME }, 'other_sans cannot be parsed'],
    ['pki/issue/shop', { common_name: 'shop.svc', not_after: NAME }, 'a time is not in RFC 3339'],
    ['pki/issue/shop', { common_name: 'shop.svc', format: NAME }, 'format must be pem, der or pem_bundle'],
    ['pki/issue/no-ip', { common_name: 'a.b', ip_sans: '10.9.8.7' }, 'IP addresses are not allowed by this role'],
    ['pki/issue/none', { common_name: 'a.b' }, 'unknown role'],
    ['pki/issuer/none/issue/shop', { common_name: 'shop.svc' }, 'failed to find issuer'],
    ['pki/sign/shop', { common_name: 'shop.svc' }, 'csr is empty'],
    ['pki/sign/shop', { common_name: 'shop.svc', csr: NAME }, 'csr contains no data'],
    ['transit/encrypt/key', {}, 'missing plaintext to encrypt'],
    ['transit/encrypt/key', { plaintext: '!canary' }, 'a parameter is not base64'],
    ['transit/encrypt/derived', { plaintext: 'aGk=' }, 'missing context for key derivation'],
    ['transit/encrypt/signing', { plaintext: 'aGk=' }, 'the type of the key does not do this'],
    ['transit/encrypt/key', { plaintext: 'aGk=', key_version: 9 }, 'key_version is higher than the latest'],
    ['transit/decrypt/key', {}, 'missing ciphertext to decrypt'],
    ['transit/decrypt/key', { ciphertext: NAME }, 'invalid ciphertext: no prefix'],
    ['transit/decrypt/key', { ciphertext: SEALED.replace('v1', 'v9') }, 'invalid ciphertext: version is too new'],
    ['transit/decrypt/key', { ciphertext: SEALED }, 'cipher: message authentication failed'],
    ['transit/decrypt/none', { ciphertext: SEALED }, 'encryption key not found'],
    ['transit/sign/none', { input: 'aGk=' }, 'signing key not found'],
    ['transit/sign/signing', { input: '!canary' }, 'a parameter is not base64'],
    ['transit/verify/signing', { input: 'aGk=' }, 'signature or hmac is missing'],
    ['transit/hash', { input: 'aGk=', algorithm: NAME }, 'unsupported algorithm'],
    ['transit/datakey/plaintext/key', { bits: 3 }, 'invalid bit length'],
    ['ssh/sign/shop', {}, 'missing public_key'],
    ['ssh/sign/shop', { public_key: NAME }, 'public_key cannot be parsed'],
    ['secret/data/app', { x: NAME }, 'no data provided'],
    ['secret/data/app', { data: { a: NAME }, options: { cas: 7 } }, 'check-and-set parameter did not match'],
    ['auth/token/create', { ttl: NAME }, 'invalid duration'],
  ])('%s with %j says why', async (path, data, told) => {
    const request = { kind: 'vault-write', path, data: data as Record<string, string> } as const;
    const failed = await failureOf(backend.source.fetch(wantOf(request), undefined, never));
    expect(failed).toMatchObject({ seen: expect.stringContaining(`(${told}`) });
    expect(JSON.stringify(failed)).not.toMatch(/canary|10\.9\.8\.7/);
  });
});
