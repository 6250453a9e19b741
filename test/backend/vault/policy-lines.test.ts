import { expect, test } from 'vitest';
import type { VaultRequest } from '../../../src/backend/vault/config/request.ts';
import {
  formatPolicyLine,
  mountedPathOf,
  type PolicyMount,
  policyLinesOf,
} from '../../../src/backend/vault/policy-lines.ts';

const V1: PolicyMount = { path: 'secret/', version: 1 };
const V2: PolicyMount = { path: 'secret/', version: 2 };
const kv = (path: string, more: object = {}): VaultRequest => ({ kind: 'vault-kv', path, ...more });
const certificate: VaultRequest = {
  kind: 'vault-certificate',
  issuer: 'pki/',
  role: 'shop',
  commonName: 'shop.svc',
  altNames: [],
  ipSans: [],
  uriSans: [],
};

test.each<[VaultRequest, PolicyMount | undefined, string]>([
  [kv('secret/shop/app'), V2, 'path "secret/data/shop/app" { capabilities = ["read"] }'],
  [kv('secret/data/shop/app'), V2, 'path "secret/data/shop/app" { capabilities = ["read"] }'],
  [kv('secret/shop/app'), V1, 'path "secret/shop/app" { capabilities = ["read"] }'],
  [kv('secret/shop/app'), undefined, 'path "secret/data/shop/app" { capabilities = ["read"] }'],
  [kv('shop/app', { mount: 'team/kv' }), undefined, 'path "team/kv/data/shop/app" { capabilities = ["read"] }'],
  [kv('team/kv/app', { mount: '/team/kv/' }), undefined, 'path "team/kv/data/app" { capabilities = ["read"] }'],
  [kv('data/app', { mount: 'secret' }), V2, 'path "secret/data/data/app" { capabilities = ["read"] }'],
  [kv('secret/app', { kvVersion: 1 }), undefined, 'path "secret/app" { capabilities = ["read"] }'],
  [kv('secret/app', { version: 3 }), V2, 'path "secret/data/app" { capabilities = ["read"] }'],
  [{ kind: 'vault-list', path: 'secret/shop/' }, V2, 'path "secret/metadata/shop" { capabilities = ["list"] }'],
  [{ kind: 'vault-list', path: 'secret/shop' }, V1, 'path "secret/shop" { capabilities = ["list"] }'],
  [{ kind: 'vault-list', path: 'secret/shop' }, undefined, 'path "secret/metadata/shop" { capabilities = ["list"] }'],
  [
    { kind: 'vault-read', path: 'database/creds/shop' },
    undefined,
    'path "database/creds/shop" { capabilities = ["read"] }',
  ],
  [{ kind: 'vault-write', path: 'aws/sts/x', data: {} }, undefined, 'path "aws/sts/x" { capabilities = ["update"] }'],
  [certificate, undefined, 'path "pki/issue/shop" { capabilities = ["update"] }'],
  [{ kind: 'vault-read', path: 'x/a"b\\c' }, undefined, String.raw`path "x/a\"b\\c" { capabilities = ["read"] }`],
])('%j in %j needs the line %s', (request, mount, line) => {
  expect(policyLinesOf(request, mount).map(formatPolicyLine)).toEqual([line]);
});

test('a certificate with a local key, a named issuer and revokeOld needs the paths of these', () => {
  const key = { type: 'ed25519' } as const;
  const request: VaultRequest = { ...certificate, key, issuerRef: 'next', upkeep: { revokeOldAfterMs: 0 } };
  expect(policyLinesOf(request).map(formatPolicyLine)).toEqual([
    'path "pki/issuer/next/sign/shop" { capabilities = ["update"] }',
    'path "pki/revoke" { capabilities = ["update"] }',
  ]);
});

test('a trust bundle needs no line', () => {
  const bundle: VaultRequest = { kind: 'vault-trust-bundle', issuer: 'pki', overlapMs: 1 };
  expect([policyLinesOf(bundle), mountedPathOf(bundle)]).toEqual([[], 'pki/issuers']);
});

test('the server is asked for the mount of a request by its whole path', () => {
  expect([kv('app', { mount: 'team/kv' }), certificate, kv('/secret/app')].map(mountedPathOf)).toEqual([
    'team/kv/app',
    'pki/issue/shop',
    'secret/app',
  ]);
});
