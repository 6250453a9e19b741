import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createRenderer } from '../../../src/render/renderer.ts';
import { BAO, loadWith } from '../../config/config.helpers.ts';
import { snapshotOf } from '../render.helpers.ts';
import { AUTHORITIES, certificateFields, issue, storeWith } from './pki.helpers.ts';

const pair = issue('rsa');
const kv = (path: string) => ({ kv: `secret/${path}` });
const secrets = { tls: kv('tls'), store: kv('store'), trust: kv('trust') };
const given = { tls: certificateFields(pair), store: storeWith('secret'), trust: certificateFields(pair) };

/** The outputs on the page, by their names. */
const outputs = Object.assign(
  {},
  ...[...readFileSync('docs/keystores.md', 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)].map(
    ([, text = '']) => (parse(text) as { outputs?: object }).outputs ?? {},
  ),
) as Record<string, { files: Record<string, object> }>;

/** The files of an output as the page configures it. */
async function filesOf(name: string): Promise<ReadonlyMap<string, Buffer>> {
  const config = await loadWith({ backends: { bao: BAO }, secrets, outputs: { [name]: outputs[name] } });
  const output = config.outputs.get(name);
  if (output === undefined) throw new Error(`docs/keystores.md has no output ${name}`);
  const renderer = await createRenderer(output, { secrets: new Set(Object.keys(secrets)), backends: new Map() });
  const rendered = await renderer.render(snapshotOf(given));
  if (rendered.kind !== 'files') throw new Error(JSON.stringify(rendered));
  return new Map([...rendered.files].map(([file, bytes]) => [file, Buffer.from(bytes)]));
}

/** What each block of a PEM file is: the name in a certificate, or the label of a key. */
const blocksOf = (pem: Buffer): string[] =>
  (pem.toString().match(/-----BEGIN .*?-----END [A-Z ]+-----\n/gs) ?? []).map((block) =>
    block.includes('CERTIFICATE') ? new X509Certificate(block).subject.slice(3) : (block.split('-----')[1] ?? ''),
  );

describe('the layouts of docs/keystores.md', () => {
  const KEY = 'BEGIN PRIVATE KEY';
  const CHAIN = ['shop.svc', 'Test Issuer'];
  const layouts: readonly (readonly [output: string, files: Readonly<Record<string, readonly string[]>>])[] = [
    ['istio', { 'cert-chain.pem': CHAIN, 'key.pem': [KEY], 'root-cert.pem': ['Test Root'] }],
    ['gke', { 'certificates.pem': CHAIN, 'private_key.pem': [KEY], 'ca_certificates.pem': ['Test Root'] }],
    ['spiffe', { 'svid.pem': CHAIN, 'svid_key.pem': [KEY], 'svid_bundle.pem': ['Test Root'] }],
    ['pod', { 'credentialbundle.pem': [KEY, ...CHAIN] }],
    ['kubernetes', { 'tls.crt': CHAIN, 'tls.key': [KEY], 'ca.crt': ['Test Issuer', 'Test Root'] }],
  ];
  it.each(layouts)('%s has the files that its readers expect', async (output, files) => {
    const written = await filesOf(output);
    expect(Object.fromEntries([...written].map(([name, bytes]) => [name, blocksOf(bytes)]))).toEqual(files);
    const all = Buffer.concat([...written.values()]).toString();
    const key = createPrivateKey(all.slice(all.indexOf('-----BEGIN PRIVATE KEY')));
    expect(new X509Certificate(pair.certificatePem).checkPrivateKey(key)).toBe(true);
    expect(all).not.toContain(AUTHORITIES.otherRoot.certificatePem);
  });

  it('every other output on the page can be written', async () => {
    const others = Object.keys(outputs).filter((name) => !layouts.some(([layout]) => layout === name));
    expect(others).toEqual(['shop', 'java', 'client']);
    for (const name of others) {
      const written = await filesOf(name);
      expect([...written.values()].every((bytes) => bytes.length > 0)).toBe(true);
    }
  });
});
