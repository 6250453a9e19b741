import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { makeFolder } from '../config/config.helpers.ts';
import { createAuthority, ensureEnvoy, noEnvoy } from '../servers/index.ts';
import { tlsListener } from '../system/sds.helpers.ts';
import { fencedBlocks } from './fenced.ts';

const example = () => parse(readFileSync('examples/envoy/envoy.yaml', 'utf8'), { maxAliasCount: -1 });

/** The first part of a configuration of Envoy in docs/sds.md that has this key at its top. */
function snippet(key: string): Record<string, unknown> {
  const parts = fencedBlocks()
    .filter(({ page, language }) => page === 'docs/sds.md' && language === 'text')
    .map(({ text }) => parse(text) as Record<string, unknown>);
  const found = parts.find((part) => Object.hasOwn(part, key));
  if (found === undefined) throw new Error(`docs/sds.md has no part with ${key}`);
  return found;
}

/** Has Envoy check a configuration without running it; rejects with what it says against it. */
async function validate(config: object, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const dir = makeFolder({ ...files, 'envoy.json': JSON.stringify(config).replaceAll('/run/secrets/shop', '.') });
  const args = ['--mode', 'validate', '-c', join(dir, 'envoy.json'), '--log-level', 'error'];
  return (await promisify(execFile)(await ensureEnvoy(), args, { cwd: dir })).stdout;
}

const withListener = (tls: object, downstream: object = {}) => ({
  node: { id: 'docs', cluster: 'docs' },
  static_resources: {
    listeners: [tlsListener({ port: 8443, tls, downstream })],
    clusters: example().static_resources.clusters,
  },
});

describe.skipIf(noEnvoy !== undefined)('Envoy takes', { timeout: 60_000 }, () => {
  it('the part of docs/sds.md that asks for a certificate', async () => {
    expect(await validate(withListener(snippet('tls_certificate_sds_secret_configs')))).toMatch(/ OK$/m);
  });

  it('the part of docs/sds.md that asks by the name in the hello', async () => {
    const { common_tls_context: tls, ...downstream } = snippet('common_tls_context');
    expect(await validate(withListener(tls as object, downstream))).toMatch(/ OK$/m);
  });

  it('the part of docs/sds.md that reads files', async () => {
    const pair = createAuthority('own CA').issue({ commonName: 'shop' });
    const files = { 'cert.pem': pair.certificatePem, 'key.pem': pair.keyPem };
    const secrets = [{ name: 'shop', ...snippet('tls_certificate') }];
    expect(await validate({ static_resources: { secrets } }, files)).toMatch(/ OK$/m);
  });

  it('the configuration of examples/envoy', async () => {
    expect(await validate(example())).toMatch(/ OK$/m);
  });

  it('no part with a member that it does not know', async () => {
    const { common_tls_context: tls } = snippet('common_tls_context') as { common_tls_context: object };
    await expect(validate(withListener({ ...tls, no_member: 1 }))).rejects.toThrow(/'no_member'/);
  });
});

describe('docs/sds.md', () => {
  it('begins with the agent of examples/envoy, but for the way to the backend', () => {
    const first = fencedBlocks().find(({ page, language }) => page === 'docs/sds.md' && language === 'yaml');
    const { backends: _, ...shown } = parse(first?.text ?? '');
    const { backends: __, ...ours } = parse(readFileSync('examples/envoy/pannier.yaml', 'utf8'));
    expect(ours).toEqual(shown);
  });
});
