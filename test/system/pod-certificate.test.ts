import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../servers/index.ts';
import { type Agent, createPlace, eventually, startAgent } from './agent.helpers.ts';

const authority = createAuthority('signer of the cluster');
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** Key and chain in one file, as the kubelet writes them with `credentialBundlePath`. */
function bundle(commonName: string, lifetimeMs = 3_600_000): string {
  const { keyPem, certificatePem } = authority.issue({ commonName, altNames: [commonName], lifetimeMs });
  return keyPem + certificatePem + authority.certificatePem;
}

const KEY = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n/;

/** A projected volume: the kubelet writes each state into a folder of its own, and swaps a link. */
function createVolume(dir: string) {
  mkdirSync(dir);
  let number = 0;
  const swap = (text: string) => {
    const name = `..${++number}`;
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'credentialbundle.pem'), text);
    symlinkSync(name, join(dir, '..new'));
    renameSync(join(dir, '..new'), join(dir, '..data'));
    if (number > 1) rmSync(join(dir, `..${number - 1}`), { recursive: true });
  };
  symlinkSync('..data/credentialbundle.pem', join(dir, 'credentialbundle.pem'));
  return swap;
}

async function run() {
  const place = await createPlace();
  open.push(place);
  const swap = createVolume(join(place.dir, 'volume'));
  swap(bundle('one.shop'));
  writeFileSync(join(place.dir, 'words.yaml'), 'store: made-up-password\n');
  const config = await place.config({
    backends: { pod: { kind: 'file', path: './volume' }, words: { kind: 'file', path: './words.yaml' } },
    secrets: {
      tls: { backend: 'pod', key: 'credentialbundle.pem', certificateFrom: { bundle: 'value' } },
      password: { backend: 'words', key: 'store' },
    },
    outputs: {
      o: {
        dir: './out',
        files: {
          'tls.pem': { content: '{{pem tls.certificate tls.caChain tls.privateKey}}\n' },
          'tls.p12': { format: 'pkcs12', from: 'tls', password: 'password.value' },
        },
      },
    },
  });
  const agent: Agent = startAgent(['run', '-c', config]);
  open.push({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
  await agent.waitFor('output-published');
  const names = () => new X509Certificate(readFileSync(join(place.dir, 'out/tls.pem'))).subject;
  return { agent, swap, names, store: () => readFileSync(join(place.dir, 'out/tls.p12')) };
}

describe('a pod certificate', () => {
  it('is published in every form when the kubelet swaps the bundle', { timeout: 60_000 }, async () => {
    const { swap, names, store } = await run();
    expect(names()).toBe('CN=one.shop');
    const before = store();
    swap(bundle('two.shop'));
    await eventually(() => expect(names()).toBe('CN=two.shop'));
    expect(store().equals(before)).toBe(false);
  });

  it.each<[string, () => string]>([
    ['has the key of another certificate', () => bundle('a').match(KEY)?.[0] + bundle('b').replace(KEY, '')],
    ['has no key', () => authority.certificatePem],
    ['has ended', () => bundle('ended', -1_000)],
    ['is cut off', () => bundle('cut').slice(0, 400)],
  ])('that %s is passed over, and the last good one stays', { timeout: 60_000 }, async (_, bad) => {
    const { agent, swap, names } = await run();
    swap(bad());
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'stale' });
    expect(names()).toBe('CN=one.shop');
    swap(bundle('three.shop'));
    await eventually(() => expect(names()).toBe('CN=three.shop'));
  });
});
