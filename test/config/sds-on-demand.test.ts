import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { loadConfig } from '../../src/config/load.ts';
import { makeFolder } from './config.helpers.ts';

const bao = { kind: 'vault', address: 'http://127.0.0.1:1', auth: { method: 'token', token: '${env:T}' } };

describe('certificates on demand alone', () => {
  // The only test of its file: what an earlier configuration of the process loaded must not help this one.
  it('are resolved when no secret is a certificate', async () => {
    const sds = { socket: 's', onDemand: { match: '*.shop.svc', certificate: { issuer: 'pki', role: 'shop' } } };
    const cwd = makeFolder({ 'pannier.json': JSON.stringify({ version: 1, backends: { bao }, sds }) });
    const config = await loadConfig({ kinds: BACKEND_KINDS, paths: ['pannier.json'], env: { T: 't' }, cwd });
    expect(config.sds?.onDemand).toMatchObject({ backend: 'bao', request: { kind: 'vault-certificate' } });
  });
});
