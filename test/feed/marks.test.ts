import { describe, expect, it } from 'vitest';
import type { VaultRequest } from '../../src/backend/vault/config/request.ts';
import { marksOf } from '../../src/backend/vault/events/marks-of.ts';
import type { Change } from '../../src/feed/change.ts';
import { Topics } from '../../src/feed/marks.ts';

const kv = (path: string, mount?: string): VaultRequest => ({ kind: 'vault-kv', path, ...(mount && { mount }) });
const read = (path: string): VaultRequest => ({ kind: 'vault-read', path });
const certificate: VaultRequest = {
  kind: 'vault-certificate',
  issuer: 'pki',
  role: 'shop',
  commonName: 'shop',
  altNames: [],
  ipSans: [],
  uriSans: [],
};

/** Whether the writer of a request hears of a change. */
function hears(request: VaultRequest, change: Partial<Change>, namespace?: string): boolean {
  const topics = new Topics<string>();
  topics.add('it', marksOf(request, namespace)?.marks ?? []);
  return topics.of({ namespace: '', path: '', reach: 'path', ...change }).has('it');
}

describe('what a secret hears of', () => {
  it.each(['data', 'metadata', 'delete', 'undelete', 'destroy'])('is each write to %s of KV version 2', (part) => {
    expect(hears(kv('secret/shop/app'), { path: `secret/${part}/shop/app` })).toBe(true);
    expect(hears(kv('secret/data/shop/app'), { path: `secret/${part}/shop/app` })).toBe(true);
    expect(hears(kv('shop/app', 'deep/kv'), { path: `deep/kv/${part}/shop/app` })).toBe(true);
    expect(hears(kv('secret/shop/app'), { path: `secret/${part}/shop/other` })).toBe(false);
  });

  it('is each write to KV version 1, and to names that look like parts of the API', () => {
    expect(hears(kv('/old/shop/app/'), { path: 'old/shop/app' })).toBe(true);
    expect(hears(kv('secret/data/data/x'), { path: 'secret/data/data/x' })).toBe(true);
    expect(hears(kv('secret/data/data/x'), { path: 'secret/destroy/data/x' })).toBe(true);
    expect(hears(kv('data/x', 'secret'), { path: 'secret/data/data/x' })).toBe(true);
  });

  it('is of its own namespace', () => {
    const change = { namespace: 'team-a/', path: 'secret/data/a' };
    expect(hears(kv('secret/a'), change, 'team-a')).toBe(true);
    expect(hears(kv('secret/a'), change)).toBe(false);
    expect(hears(kv('team-a/secret/a'), change)).toBe(true);
  });

  it('of a list is each write below it', () => {
    const list: VaultRequest = { kind: 'vault-list', path: 'secret/shop' };
    expect(hears(list, { path: 'secret/data/shop/app' })).toBe(true);
    expect(hears(list, { path: 'secret/metadata/shop/deep/app' })).toBe(true);
    expect(hears(list, { path: 'secret/data/shopping' })).toBe(false);
  });

  it('of a static role is its rotation by hand and its settings', () => {
    const role = read('database/static-creds/shop');
    expect(hears(role, { path: 'database/rotate-role/shop' })).toBe(true);
    expect(hears(role, { path: 'database/static-roles/shop' })).toBe(true);
    expect(hears(role, { path: 'database/rotate-role/other' })).toBe(false);
    expect(hears(role, { path: 'database/rotate-root/main' })).toBe(false);
  });

  it('of a certificate is its revocation and another issuer, but not that others are issued', () => {
    expect(hears(certificate, { path: 'pki/revoke' })).toBe(true);
    expect(hears(certificate, { path: 'pki/root/generate/internal' })).toBe(true);
    expect(hears(certificate, { path: 'pki/issue/shop' })).toBe(false);
  });

  it('is the mount that it is in, and the settings of its namespace', () => {
    expect(hears(kv('secret/a'), { path: 'secret', reach: 'below' })).toBe(true);
    expect(hears(kv('secret2/a'), { path: 'secret', reach: 'below' })).toBe(false);
    expect(hears(kv('secret/a'), { reach: 'namespace' }, 'team-a')).toBe(true);
    expect(hears(kv('secret/a'), { namespace: 'team-b/', reach: 'namespace' }, 'team-a')).toBe(false);
  });

  it('is nothing for what makes a new value at each request', () => {
    expect(marksOf({ kind: 'vault-write', path: 'aws/sts/deploy', data: {} })).toBeUndefined();
  });

  it('is nothing more once it was removed', () => {
    const topics = new Topics<string>();
    topics.add('it', ['secret/a', 'secret/']);
    topics.remove('it');
    expect(topics.of({ namespace: '', path: 'secret/a', reach: 'path' }).size).toBe(0);
    expect(topics.size).toBe(0);
  });
});
