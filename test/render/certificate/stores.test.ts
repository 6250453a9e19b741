import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { createRenderer } from '../../../src/render/renderer.ts';
import { createAuthority } from '../../servers/certificates.ts';
import { isHere, run, withPaths } from '../../templates/programs.helpers.ts';
import { bytesOf, fieldsOf, outputOf, snapshotOf } from '../render.helpers.ts';
import { AUTHORITIES, certificateFields, certificateFile, issue, KEYS, storeWith } from './pki.helpers.ts';

const PASSWORD = 'c0rrect horse "battery" \\ $taple';
const pair = issue('ec');
const secrets = { tls: certificateFields(pair), store: storeWith(PASSWORD) };
const keystore = certificateFile('pkcs12', 'tls', { password: true, alias: 'Shop' });
const truststore = certificateFile('truststore', 'tls', { password: true });

/** `keytool -list` of a store, in English. */
async function keytool(store: Uint8Array, password: string, ...more: readonly string[]): Promise<string> {
  return withPaths([store], async ([path = '']) => {
    const args = ['-J-Duser.language=en', '-J-Dsun.stdout.encoding=UTF-8', '-list', '-keystore', path];
    const env = { ...process.env, LC_ALL: 'C.UTF-8', STORE_PASSWORD: password };
    const { stdout } = await run('keytool', [...args, '-storepass:env', 'STORE_PASSWORD', ...more], { env });
    return stdout;
  });
}

/** What OpenSSL reads of a store, in PEM. */
const openssl = (store: Uint8Array, password: string): Promise<string> =>
  withPaths([store, password], async ([path = '', file = '']) => {
    const { stdout } = await run('openssl', ['pkcs12', '-in', path, '-passin', `file:${file}`, '-noenc']);
    return stdout;
  });

const certificatesIn = (text: string): string[] =>
  text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n/gs) ?? [];

/** The name of the certificate that a TLS server with this keystore shows to a client who trusts the test root. */
async function servedBy(pfx: Buffer, passphrase: string): Promise<string | undefined> {
  const server = createServer({ pfx, passphrase }, (socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: AUTHORITIES.root.certificatePem });
  try {
    await once(client, 'secureConnect');
    return client.getPeerX509Certificate()?.subject;
  } finally {
    client.destroy();
    server.close();
  }
}

describe('a PKCS#12 keystore', () => {
  it.each(['rsa', 'ec', 'ed25519'] as const)('of a key of type %s serves TLS in Node, with its chain', async (type) => {
    const bytes = await bytesOf(keystore, { ...secrets, tls: certificateFields(issue(type, `${type}.svc`)) });
    expect(await servedBy(bytes, PASSWORD)).toBe(`CN=${type}.svc`);
  });

  it.each(['rsa', 'ec', 'ed25519'] as const)('of a key of type %s is read by OpenSSL', async (type) => {
    const one = issue(type);
    const read = await openssl(await bytesOf(keystore, { ...secrets, tls: certificateFields(one) }), PASSWORD);
    expect(createPrivateKey(read.slice(read.indexOf('-----BEGIN PRIVATE'))).equals(KEYS[type].privateKey)).toBe(true);
    expect(certificatesIn(read)).toEqual([one.certificatePem, AUTHORITIES.issuer.certificatePem]);
    expect(read.match(/friendlyName: .*/g)).toEqual(['friendlyName: Shop', 'friendlyName: Shop']);
  });

  it('holds what parts name behind the certificate of the key', async () => {
    for (const [parts, count] of [
      [['leaf'], 1],
      [['fullchain', 'root'], 3],
      [['ca'], 3],
    ] as const) {
      const bytes = await bytesOf({ ...keystore, options: { ...keystore.options, parts } }, secrets);
      expect(certificatesIn(await openssl(bytes, PASSWORD))).toHaveLength(count);
    }
  });

  it('is encrypted with AES-256 under PBKDF2 and SHA-256', async () => {
    await withPaths([await bytesOf(keystore, secrets), PASSWORD], async ([path = '', file = '']) => {
      const { stderr } = await run('openssl', ['pkcs12', '-in', path, '-passin', `file:${file}`, '-info', '-noout']);
      expect(stderr).toContain('MAC: sha256, Iteration 10000');
      expect(stderr.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256/g)).toHaveLength(2);
    });
  });

  it('is read by keytool of a JDK', async ({ skip }) => {
    if (!(await isHere('keytool', '-help'))) skip('keytool is not on PATH');
    const listed = await keytool(await bytesOf(keystore, secrets), PASSWORD, '-v');
    expect(listed).toContain('Your keystore contains 1 entry');
    expect(listed).toContain('Alias name: shop'); // Java ignores the case
    expect(listed).toContain('Entry type: PrivateKeyEntry');
    expect(listed).toContain('Certificate chain length: 2');
  });

  it('and a truststore serve and verify TLS in Java', async ({ skip }) => {
    if (!(await isHere('java', '-version'))) skip('java is not on PATH');
    const stores = [await bytesOf(keystore, secrets), await bytesOf(truststore, secrets)];
    await withPaths(stores, async (paths) => {
      const served = run('java', ['test/fixtures/programs/TlsByKeystore.java', ...paths]);
      served.child.stdin?.end(PASSWORD);
      expect((await served).stdout).toBe('CN=shop.svc\n');
    });
  });
});

describe('a truststore', () => {
  it('has entries that Java trusts, and no key', async ({ skip }) => {
    if (!(await isHere('keytool', '-help'))) skip('keytool is not on PATH');
    const listed = await keytool(await bytesOf(truststore, secrets), PASSWORD);
    expect(listed.match(/^.*trustedCertEntry/gm)).toHaveLength(2);
    expect(listed).toMatch(/^test-root-[0-9a-f]{16}, /m);
    expect(listed).not.toContain('PrivateKeyEntry');
  });

  it('is read by OpenSSL', async () => {
    const read = await openssl(await bytesOf(truststore, secrets), PASSWORD);
    expect(certificatesIn(read)).toEqual([AUTHORITIES.issuer.certificatePem, AUTHORITIES.root.certificatePem]);
    expect(read).not.toContain('PRIVATE KEY');
  });

  it('holds 200 certificates', async ({ skip }) => {
    const all = Array.from({ length: 200 }, (_, i) => createAuthority(`Root ${i}`).certificatePem);
    const bundle = fieldsOf({ pem: Secret.text(all.join('')) });
    const bytes = await bytesOf(certificateFile('truststore', 'bundle', { password: true }), { ...secrets, bundle });
    expect(certificatesIn(await openssl(bytes, PASSWORD))).toEqual(all);
    if (!(await isHere('keytool', '-help'))) skip('keytool is not on PATH');
    expect((await keytool(bytes, PASSWORD)).match(/trustedCertEntry/g)).toHaveLength(200);
  });

  it('keeps the alias of a certificate when others come', async ({ skip }) => {
    if (!(await isHere('keytool', '-help'))) skip('keytool is not on PATH');
    const aliases = async (...from: readonly string[]) => {
      const other = fieldsOf({ pem: Secret.text(AUTHORITIES.otherRoot.certificatePem) });
      const file = certificateFile('truststore', from, { password: true });
      const listed = await keytool(await bytesOf(file, { ...secrets, other }), PASSWORD);
      return [...listed.matchAll(/^(\S+), .*trustedCertEntry/gm)].map(([, alias]) => alias);
    };
    const before = await aliases('tls');
    expect(before).toHaveLength(2);
    expect(await aliases('other', 'tls')).toEqual(expect.arrayContaining(before));
  });
});

describe('the bytes of a store', () => {
  it('are the same for the same secrets, and other ones when anything differs', async () => {
    const first = await bytesOf(keystore, secrets);
    expect(await bytesOf(keystore, { ...secrets })).toEqual(first);
    const trust = await bytesOf(truststore, secrets);
    expect(await bytesOf(truststore, { ...secrets })).toEqual(trust);

    const changed = [
      await bytesOf(keystore, { ...secrets, store: storeWith('another') }),
      await bytesOf(keystore, { ...secrets, tls: certificateFields(issue('ec')) }), // the same key
      await bytesOf(keystore, { ...secrets, tls: certificateFields(issue('rsa')) }),
      await bytesOf({ ...keystore, options: { ...keystore.options, alias: 'other' } }, secrets),
      await bytesOf({ ...keystore, options: { ...keystore.options, parts: ['leaf'] } }, secrets),
    ];
    const all = [first, ...changed].map((bytes) => bytes.toString('base64'));
    expect(new Set(all).size).toBe(all.length);
    // No key of AES meets a second content: what is encrypted under one password has a salt of its own.
    const salts = await Promise.all([first, ...changed.slice(1)].map(saltsOf));
    expect(new Set(salts.flat()).size).toBe(salts.flat().length);
  });

  it('are made once while the secrets are the same', async () => {
    const known = { secrets: new Set(Object.keys(secrets)), backends: new Map() };
    const renderer = await createRenderer(outputOf({ f: keystore }), known);
    const renderWith = async (given: Parameters<typeof snapshotOf>[0]) => {
      const rendered = await renderer.render(snapshotOf(given));
      return rendered.kind === 'files' ? rendered.files.get('f') : undefined;
    };
    const first = await renderWith(secrets);
    expect(await renderWith(secrets)).toBe(first);
    const other = await renderWith({ ...secrets, store: storeWith('another') });
    expect(other).not.toEqual(first);
    expect(await renderWith(secrets)).toEqual(first);
  });

  it('do not repeat a salt or a vector within one file', async () => {
    const salts = await saltsOf(await bytesOf(keystore, secrets));
    expect(salts).toHaveLength(5); // two salts, two vectors, and the salt of the MAC
    expect(new Set(salts).size).toBe(5);
  });
});

/** The salts and vectors of a keystore: the OCTET STRINGs of 16 bytes in its algorithms and in its MAC. */
async function saltsOf(store: Buffer): Promise<string[]> {
  const hex = store.toString('hex');
  // A salt is before the iterations (0202 2710), a vector after the identifier of AES-256-CBC.
  return [...hex.matchAll(/0410([0-9a-f]{32})(?=02022710)|60864801650304012a0410([0-9a-f]{32})/g)].map(
    ([, salt, vector]) => (salt ?? vector) as string,
  );
}

describe('a password that is not ASCII', () => {
  const passwords = ['pässwörd', 'пароль', 'ключ-🔑', 'x', ' '];
  it.each(passwords)('such as %j is taken as OpenSSL and Node take it', async (password) => {
    const given = { ...secrets, store: storeWith(password) };
    const bytes = await bytesOf(keystore, given);
    expect(await servedBy(bytes, password)).toBe('CN=shop.svc');
    expect(certificatesIn(await openssl(bytes, password))).toHaveLength(2);
    expect(certificatesIn(await openssl(await bytesOf(truststore, given), password))).toHaveLength(2);
  });

  it('is read by keytool of a JDK that takes one; Java 17 does not', async ({ skip }) => {
    if (!(await isHere('keytool', '-help'))) skip('keytool is not on PATH');
    const password = 'пароль-ß';
    const bytes = await bytesOf(truststore, { ...secrets, store: storeWith(password) });
    const listed = await keytool(bytes, password).catch(({ stdout }: { stdout: string }) => stdout);
    if (!listed.includes('Password is not ASCII')) expect(listed.match(/trustedCertEntry/g)).toHaveLength(2);
  });
});

describe('the helpers pkcs12 and truststore', () => {
  it('write what the formats write', async () => {
    const file = await bytesOf(keystore, secrets);
    expect(await bytesOf('{{pkcs12 store.password tls alias="Shop"}}', secrets)).toEqual(file);
    const inJson = await bytesOf('{"p12":"{{base64encode (pkcs12 store.password tls alias="Shop")}}"}', secrets);
    expect(JSON.parse(inJson.toString())).toEqual({ p12: file.toString('base64') });
    expect(await bytesOf('{{truststore store.password tls parts="ca"}}', secrets)).toEqual(
      await bytesOf(truststore, secrets),
    );
    const root = await bytesOf('{{truststore store.password tls.caChain parts="root"}}', secrets);
    const [only] = certificatesIn(await openssl(root, PASSWORD));
    expect(new X509Certificate(only as string).subject).toBe('CN=Test Root');
  });
});
