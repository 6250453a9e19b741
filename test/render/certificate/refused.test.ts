import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import type { Fields } from '../../../src/base/value.ts';
import type { FormatName } from '../../../src/config/config.ts';
import { bytesOf, failureOf, fieldsOf, type Given, problemsOf } from '../render.helpers.ts';
import { AUTHORITIES, certificateFields, certificateFile, issue, KEYS, storeWith } from './pki.helpers.ts';

const PASSWORD = 'c4n4ry-password';
const { issuer, root } = AUTHORITIES;
const pair = issue('ec');
const other = issue('ed25519', 'other.svc');
const tls = certificateFields(pair);

/** Texts that no message may hold: the bodies of the keys, and the password. */
const HIDDEN = [pair.keyPem, other.keyPem].map((pem) => pem.split('\n')[1] as string).concat(PASSWORD);

const encryptedKey = KEYS.ec.privateKey
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD })
  .toString();

const secrets: Readonly<Record<string, Given>> = {
  tls,
  store: storeWith(PASSWORD),
  mixed: certificateFields({ certificatePem: pair.certificatePem, keyPem: other.keyPem }),
  twoKeys: fieldsOf({ a: Secret.text(pair.keyPem), b: Secret.text(other.keyPem) }),
  twoLeaves: fieldsOf({ a: Secret.text(pair.certificatePem), b: Secret.text(other.certificatePem) }),
  encrypted: fieldsOf({ k: Secret.text(encryptedKey), c: Secret.text(pair.certificatePem) }),
  cut: fieldsOf({ k: Secret.text(pair.keyPem.slice(0, 90)) }),
  broken: fieldsOf({ c: Secret.text(pair.certificatePem.replace(/.{64}/, '')) }),
  noRoot: fieldsOf({ c: Secret.text(pair.certificatePem), i: Secret.text(issuer.certificatePem) }),
  direct: fieldsOf({
    c: Secret.text(root.issue({ commonName: 'x' }).certificatePem),
    r: Secret.text(root.certificatePem),
  }),
  odd: fieldsOf({ n: Secret.number('7'), nil: Secret.null(), text: Secret.text(PASSWORD), list: [Secret.text('x')] }),
  opt: 'optional and absent',
};

const CERT = 'RENDER_BAD_CERTIFICATE';

describe('certificates that cannot be written as asked', () => {
  type Case = readonly [
    format: FormatName,
    from: string,
    options: Parameters<typeof certificateFile>[2],
    code: string,
    seen: string,
  ];
  const cases: readonly Case[] = [
    ['pem', 'mixed', {}, CERT, 'mixed: the private key belongs to none of the certificates'],
    ['pkcs12', 'mixed', { password: true }, CERT, 'mixed: the private key belongs to none of the certificates'],
    ['pem', 'twoKeys', { parts: ['key'] }, CERT, 'twoKeys: there are several private keys'],
    ['pem', 'twoLeaves', {}, CERT, 'twoLeaves: there are several certificates that are of no authority'],
    ['pem', 'encrypted', {}, CERT, 'encrypted.k holds a private key that is encrypted'],
    ['pem', 'cut', { parts: ['key'] }, CERT, 'cut.k holds a PEM block that is not whole'],
    ['pem', 'broken', {}, CERT, 'broken.c is neither a certificate nor a private key that can be read'],
    ['pem', 'store', { parts: ['key'] }, CERT, 'store: there is no private key'],
    ['pem', 'store', {}, CERT, 'store: there is no certificate'],
    ['pem', 'tls.caChain', {}, CERT, 'tls.caChain: there is no certificate but those of authorities'],
    ['pem', 'noRoot', { parts: ['root'] }, CERT, 'noRoot: there is no root certificate'],
    ['truststore', 'store', { password: true }, CERT, 'store: there is no certificate of an authority'],
    ['pem', 'direct', { parts: ['intermediates'] }, CERT, 'direct: there is nothing for intermediates'],
    [
      'truststore',
      'direct',
      { password: true, parts: ['intermediates'] },
      CERT,
      'direct: there is nothing for intermediates',
    ],
    [
      'pem',
      'tls',
      { parts: ['key'], keyFormat: 'pkcs1' },
      CERT,
      'tls: the key is of type ec, and pkcs1 is for keys of type rsa',
    ],
    ['der', 'tls', { parts: ['ca'] }, CERT, 'tls: ca is 2 certificates, and DER holds one'],
    ['der', 'direct', { parts: ['intermediates'] }, CERT, 'direct: there is nothing for intermediates'],
    ['pem', 'odd.text', {}, CERT, 'odd.text is neither a certificate nor a private key that can be read'],
    ['pem', 'odd.n', {}, CERT, 'odd.n is neither a certificate nor a private key that can be read'],
    ['pem', 'odd.nil', {}, CERT, 'odd.nil is neither a certificate nor a private key that can be read'],
    ['pem', 'odd.list', {}, CERT, 'odd.list.0 is neither a certificate nor a private key that can be read'],
    ['pem', 'tls.nope', {}, 'RENDER_MISSING_FIELD', 'tls.nope is missing: tls has no such field'],
    ['pkcs12', 'opt', { password: true }, CERT, 'opt: there is no private key'],
  ];
  it.each(cases)('format %s from %s with %j', async (format, from, options, code, seen) => {
    const failed = await failureOf(certificateFile(format, from, options), secrets);
    expect(failed).toMatchObject({ code, seen });
    expectHidden(failed);
  });

  it('are refused by a helper, too', async () => {
    for (const [template, seen] of [
      ['{{tlsPem "key" mixed}}', 'tlsPem cannot write this: the private key belongs to none of the certificates'],
      ['{{tlsPem "leaf" broken}}', 'tlsPem cannot write this: a value is neither a certificate nor'],
      ['{{pkcs12 store.password twoKeys}}', 'pkcs12 cannot write this: there are several private keys'],
      ['{{truststore store.password store}}', 'truststore cannot write this: there is no certificate of an authority'],
      ['{{pkcs12 "" tls}}', 'pkcs12 cannot write this: the password is empty'],
      ['{{pkcs12 odd.list tls}}', 'pkcs12 cannot write this: the password is no text'],
      ['{{pkcs12 store.password tls alias=""}}', 'pkcs12 takes a text that is not empty as alias'],
    ] as const) {
      const failed = await failureOf(template, secrets);
      expect(failed).toMatchObject({ code: 'RENDER_BAD_ARGUMENT', seen: expect.stringContaining(seen) });
      expectHidden(failed);
    }
  });
});

describe('the password of a keystore', () => {
  const bad: readonly (readonly [what: string, password: Fields, code: string, seen: string])[] = [
    ['is empty', storeWith(''), CERT, 'store.password: the password is empty, and keytool does not read such a file'],
    [
      'ends with a line end',
      storeWith(`${PASSWORD}\n`),
      CERT,
      'store.password: the password holds a line end or another control character',
    ],
    [
      'holds NUL',
      storeWith(`${PASSWORD}\0`),
      CERT,
      'store.password: the password holds a line end or another control character',
    ],
    [
      'is half a surrogate pair',
      storeWith(`${PASSWORD}\ud800`),
      CERT,
      'store.password: the password holds half a surrogate pair',
    ],
    ['is null', fieldsOf({ password: Secret.null() }), CERT, 'store.password: the password is no text'],
    ['is a list', fieldsOf({ password: [Secret.text(PASSWORD)] }), CERT, 'store.password: the password is no text'],
    [
      'is bytes',
      fieldsOf({ password: Secret.bytes(Uint8Array.of(0xff)) }),
      CERT,
      'store.password: the password is no text',
    ],
    [
      'is missing',
      fieldsOf({ pass: Secret.text(PASSWORD) }),
      'RENDER_MISSING_FIELD',
      'store.password is missing: store has no such field',
    ],
  ];
  it.each(bad)('is refused when it %s', async (_, store, code, seen) => {
    for (const format of ['pkcs12', 'truststore', 'pem'] as const) {
      const parts = format === 'pem' ? { parts: ['key'] as const } : {};
      const failed = await failureOf(certificateFile(format, 'tls', { password: true, ...parts }), { tls, store });
      expect(failed).toMatchObject({ code, seen: expect.stringContaining(seen) });
      expectHidden(failed);
    }
  });

  it('may be a number, and is its text', async () => {
    const file = certificateFile('pkcs12', 'tls', { password: true });
    const number = await bytesOf(file, { tls, store: fieldsOf({ password: Secret.number('123456') }) });
    expect(number).toEqual(await bytesOf(file, { tls, store: storeWith('123456') }));
  });

  it('is waited for, as the other secrets are', async () => {
    const file = certificateFile('pkcs12', 'tls', { password: true });
    const failed = await failureOf(file, { tls, store: 'optional and absent' });
    expect(failed).toMatchObject({
      code: 'RENDER_MISSING_FIELD',
      seen: 'store.password is missing: the optional secret store is absent',
    });
  });
});

describe('options that no secret could satisfy', () => {
  type Options = Parameters<typeof certificateFile>[2];
  const wrong: readonly (readonly [format: FormatName, options: Options, code: string, place: string])[] = [
    ['pkcs12', {}, 'CONFIG_MISSING', 'password'],
    ['truststore', {}, 'CONFIG_MISSING', 'password'],
    ['pkcs12', { password: true, parts: ['key', 'leaf'] }, 'CONFIG_INVALID', 'parts'],
    ['truststore', { password: true, parts: ['key'] }, 'CONFIG_INVALID', 'parts'],
    ['der', { parts: ['leaf', 'root'] }, 'CONFIG_INVALID', 'parts'],
    ['der', { parts: ['fullchain'] }, 'CONFIG_INVALID', 'parts'],
    ['pem', { parts: ['root', 'root'] }, 'CONFIG_INVALID', 'parts'],
    ['pem', { keyFormat: 'pkcs1' }, 'CONFIG_INVALID', 'keyFormat'],
    ['pem', { password: true }, 'CONFIG_INVALID', 'password'],
    ['pem', { parts: ['key'], keyFormat: 'sec1', password: true }, 'CONFIG_INVALID', 'keyFormat'],
  ];
  it.each(wrong)('are found before any value is known: %s with %j', async (format, options, code, key) => {
    const problems = await problemsOf(certificateFile(format, 'tls', options), ['tls', 'store']);
    expect(problems.map(({ code, place }) => [code, place])).toEqual([[code, `outputs.shop.files["f"].${key}`]]);
  });

  it('are a secret of the password that is not configured', async () => {
    const [problem] = await problemsOf(certificateFile('pkcs12', 'tls', { password: true }), ['tls']);
    expect(problem?.code).toBe('CONFIG_UNKNOWN_SECRET');
  });

  it('are literals of a helper that it never accepts', async () => {
    for (const template of ['{{tlsPem "cert" tls}}', '{{tlsDer "fullchain" tls}}', '{{pkcs12 "x" tls parts="key"}}']) {
      expect((await problemsOf(template, ['tls']))[0]?.code).toBe('TEMPLATE_BAD_ARGUMENT');
    }
  });
});

it('a key with a curve that PKCS#1 and SEC1 do not have is written as PKCS#8', async () => {
  const { privateKey } = generateKeyPairSync('x25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const s = fieldsOf({ k: Secret.text(pem) });
  expect((await bytesOf(certificateFile('pem', 's', { parts: ['key'] }), { s })).toString()).toBe(pem);
});

function expectHidden(failed: object): void {
  const text = `${inspect(failed, { depth: null, showHidden: true })}${JSON.stringify(failed)}`;
  for (const hidden of HIDDEN) expect(text).not.toContain(hidden);
}
