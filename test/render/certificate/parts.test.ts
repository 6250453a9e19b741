import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { CertificatePart } from '../../../src/config/config.ts';
import { run, withPaths } from '../../templates/programs.helpers.ts';
import { bytesOf, fieldsOf, textOf } from '../render.helpers.ts';
import { AUTHORITIES, certificateFields, certificateFile, issue, KEYS, storeWith } from './pki.helpers.ts';

const pair = issue('ec');
const tls = certificateFields(pair);
const { root, issuer, otherRoot } = AUTHORITIES;
const named = new Map([
  [pair.certificatePem, 'leaf'],
  [issuer.certificatePem, 'issuer'],
  [root.certificatePem, 'root'],
  [otherRoot.certificatePem, 'other root'],
  [pair.keyPem, 'key'],
]);

/** What the blocks of a PEM text are. */
const blocksOf = (text: string): string[] =>
  (text.match(/-----BEGIN .*?-----END [A-Z ]+-----\n/gs) ?? []).map((block) => named.get(block) ?? 'other');

describe('format pem', () => {
  const shapes: readonly (readonly [parts: readonly CertificatePart[] | undefined, blocks: readonly string[]])[] = [
    [undefined, ['leaf', 'issuer']],
    [['leaf'], ['leaf']],
    [['key'], ['key']],
    [['fullchain'], ['leaf', 'issuer']],
    [
      ['fullchain', 'root'],
      ['leaf', 'issuer', 'root'],
    ],
    [
      ['key', 'fullchain'],
      ['key', 'leaf', 'issuer'],
    ],
    [
      ['fullchain', 'key'],
      ['leaf', 'issuer', 'key'],
    ],
    [['intermediates'], ['issuer']],
    [['root'], ['root']],
    [['ca'], ['issuer', 'root']],
    // A certificate is written once, where the first part has it.
    [
      ['fullchain', 'ca', 'key', 'leaf'],
      ['leaf', 'issuer', 'root', 'key'],
    ],
  ];
  it.each(shapes)('writes the parts %j', async (parts, blocks) => {
    const file = certificateFile('pem', 'tls', parts === undefined ? {} : { parts });
    const text = await textOf(file, { tls });
    expect(blocksOf(text)).toEqual(blocks);
    expect(text).toBe(blocks.map((block) => [...named].find(([, name]) => name === block)?.[0]).join(''));
  });

  it('is written from fields of any name, with line breaks lost, from DER and from DER in base64', async () => {
    const der = new X509Certificate(pair.certificatePem).raw;
    const whole = fieldsOf({
      'tls.key': Secret.text(pair.keyPem.replaceAll('\n', '\\n')),
      blob: Secret.bytes(der),
      all: Secret.text(`${root.certificatePem}${issuer.certificatePem}`.replaceAll('\n', ' ')),
      note: Secret.text('not PEM'),
      junk: Secret.bytes(Uint8Array.of(0x30, 0xff)),
      n: Secret.number('7'),
      nil: Secret.null(),
      map: fieldsOf({ again: Secret.text(issuer.certificatePem) }),
    });
    const parts = ['key', 'fullchain', 'root'] as const;
    expect(blocksOf(await textOf(certificateFile('pem', 'tls', { parts }), { tls: whole }))).toEqual([
      'key',
      'leaf',
      'issuer',
      'root',
    ]);
    const fields = fieldsOf({ c: Secret.text(der.toString('base64')), k: Secret.text(pair.keyPem), x: tls });
    const file = certificateFile('pem', ['s.k', 's.c', 's.x.caChain'], { parts });
    expect(blocksOf(await textOf(file, { s: fields }))).toEqual(['key', 'leaf', 'issuer', 'root']);
  });

  it('takes certificates of authorities from several secrets, and leaves an absent optional one out', async () => {
    const other = fieldsOf({ pem: Secret.text(otherRoot.certificatePem) });
    const file = certificateFile('pem', ['tls', 'other', 'opt'], { parts: ['root'] });
    const text = await textOf(file, { tls, other, opt: 'optional and absent' });
    expect(blocksOf(text)).toEqual(['root', 'other root']);
    const full = await textOf(certificateFile('pem', ['other', 'tls']), { tls, other });
    expect(blocksOf(full)).toEqual(['leaf', 'issuer']); // a root that issued none of them is in no chain
  });

  it('takes the newest certificate of a key that was kept through a renewal', async () => {
    const older = issuer.issue({ commonName: 'shop.svc', keys: KEYS.ec, lifetimeMs: -3_600_000 });
    const both = fieldsOf({ old: Secret.text(older.certificatePem), x: tls });
    expect(blocksOf(await textOf(certificateFile('pem', 's'), { s: both }))).toEqual(['leaf', 'issuer']);
  });

  it('holds a certificate that signed itself as leaf and as root', async () => {
    const own = fieldsOf({ c: Secret.text(otherRoot.certificatePem) });
    for (const parts of [['root'], ['ca']] as const)
      expect(blocksOf(await textOf(certificateFile('pem', 's', { parts }), { s: own }))).toEqual(['other root']);
  });
});

describe('a private key', () => {
  const forms = [
    ['rsa', undefined, 'PRIVATE KEY'],
    ['rsa', 'pkcs1', 'RSA PRIVATE KEY'],
    ['ec', 'pkcs8', 'PRIVATE KEY'],
    ['ec', 'sec1', 'EC PRIVATE KEY'],
    ['ed25519', undefined, 'PRIVATE KEY'],
  ] as const;
  it.each(forms)('of type %s in %s is read back by Node and OpenSSL', async (type, keyFormat, label) => {
    const secrets = { tls: certificateFields(issue(type)) };
    const options = { parts: ['key'] as const, ...(keyFormat === undefined ? {} : { keyFormat }) };
    const text = await textOf(certificateFile('pem', 'tls', options), secrets);
    expect(text).toMatch(new RegExp(`^-----BEGIN ${label}-----\n`));
    expect(createPrivateKey(text).equals(KEYS[type].privateKey)).toBe(true);
    const der = await bytesOf(certificateFile('der', 'tls', options), secrets);
    const read = createPrivateKey({ key: der, format: 'der', type: keyFormat ?? 'pkcs8' });
    expect(read.equals(KEYS[type].privateKey)).toBe(true);
    await withPaths([Buffer.from(text), der], async ([pem = '', path = '']) => {
      const published = KEYS[type].publicKey.export({ type: 'spki', format: 'pem' });
      for (const args of [[pem], [path, '-inform', 'DER']]) {
        const { stdout } = await run('openssl', ['pkey', '-pubout', '-in', ...args]);
        expect(stdout).toBe(published);
      }
    });
  });

  it.each(['rsa', 'ec', 'ed25519'] as const)('of type %s is encrypted as PKCS#8, the same each time', async (type) => {
    const password = 'pä ss🔑word';
    const secrets = { tls: certificateFields(issue(type)), store: storeWith(password) };
    const file = certificateFile('pem', 'tls', { parts: ['key'], password: true });
    const text = await textOf(file, secrets);
    expect(text).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    expect(createPrivateKey({ key: text, passphrase: password }).equals(KEYS[type].privateKey)).toBe(true);
    expect(() => createPrivateKey({ key: text, passphrase: 'another' })).toThrow();
    expect(await textOf(file, secrets)).toBe(text);
    expect(await textOf(file, { ...secrets, store: storeWith('another') })).not.toBe(text);
    await withPaths([text], async ([path = '']) => {
      const { stdout } = await run('openssl', ['pkey', '-pubout', '-in', path, '-passin', `pass:${password}`]);
      expect(stdout).toBe(KEYS[type].publicKey.export({ type: 'spki', format: 'pem' }));
    });
  });
});

describe('format der', () => {
  it('writes the bytes of one certificate', async () => {
    for (const [parts, pem] of [
      [['leaf'], pair.certificatePem],
      [['root'], root.certificatePem],
      [['intermediates'], issuer.certificatePem],
    ] as const) {
      const bytes = await bytesOf(certificateFile('der', 'tls', { parts }), { tls });
      expect(bytes).toEqual(new X509Certificate(pem).raw);
    }
    expect(await bytesOf(certificateFile('der', 'tls'), { tls })).toEqual(new X509Certificate(pair.certificatePem).raw);
  });
});

describe('the helpers tlsPem and tlsDer', () => {
  it('write what the formats write', async () => {
    const secrets = { tls, store: storeWith('secret') };
    const same: readonly (readonly [template: string, file: ReturnType<typeof certificateFile>])[] = [
      ['{{tlsPem "key fullchain" tls}}', certificateFile('pem', 'tls', { parts: ['key', 'fullchain'] })],
      [
        '{{tlsPem "key" tls.privateKey keyFormat="sec1"}}',
        certificateFile('pem', 'tls', { parts: ['key'], keyFormat: 'sec1' }),
      ],
      [
        '{{tlsPem "key" tls password=store.password}}',
        certificateFile('pem', 'tls', { parts: ['key'], password: true }),
      ],
      ['{{tlsDer "key" tls}}', certificateFile('der', 'tls', { parts: ['key'] })],
      ['{{tlsPem "ca" tls.caChain}}', certificateFile('pem', 'tls', { parts: ['ca'] })],
    ];
    for (const [template, file] of same) expect(await bytesOf(template, secrets)).toEqual(await bytesOf(file, secrets));
    expect(await textOf('{"der":"{{base64encode (tlsDer "leaf" tls)}}"}', secrets)).toBe(
      JSON.stringify({ der: new X509Certificate(pair.certificatePem).raw.toString('base64') }),
    );
  });
});
