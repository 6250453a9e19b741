import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { isHere, run, withPaths } from '../templates/programs.helpers.ts';
import { failureOf, fieldsOf, textOf } from './render.helpers.ts';

const NAMES = ['root', 'issuer', 'issuer-new-key', 'leaf', 'leaf-of-new-key'] as const;
type Name = (typeof NAMES)[number];

const pemOf = (name: Name) => readFileSync(`test/fixtures/certificates/${name}.pem`, 'utf8').trim();
const texts: ReadonlyMap<string, string> = new Map(NAMES.map((name) => [pemOf(name), name]));
const leaf = pemOf('leaf');
const key = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----';
const oneLine = (pem: string) => pem.replaceAll('\n', ' ');

/** Renders `{{pem …}}` of these texts, and gives the names of the certificates in the result. */
async function chainOf(...given: readonly string[]): Promise<string[]> {
  const s = fieldsOf({ all: given.map((text) => Secret.text(text)) });
  const text = await textOf('{{pem s.all}}', { s });
  return (text.match(/-----BEGIN .*?-----END [A-Z ]+-----/gs) ?? []).map((block) => texts.get(block) ?? 'other');
}

describe('pem', () => {
  const mended: readonly (readonly [how: string, text: string])[] = [
    ['as it is', leaf],
    ['with CRLF and a line end after it', `${leaf.replaceAll('\n', '\r\n')}\r\n`],
    ['with CR alone', leaf.replaceAll('\n', '\r')],
    ['on one line', oneLine(leaf)],
    ['without any white space', leaf.replace(/\n/g, '')],
    ['with \\n as two characters', leaf.replaceAll('\n', '\\n')],
    ['with \\r\\n as four characters', leaf.replaceAll('\n', '\\r\\n')],
    [
      'in lines of 76',
      leaf.replace(/(?<=-----\n)[^-]+/, (body) => `${body.replaceAll('\n', '').replace(/.{76}/g, '$&\n')}\n`),
    ],
    ['indented', leaf.replaceAll('\n', '\n    ')],
    ['with text around it', `Bag Attributes\n  friendlyName: x\nsubject=/CN=x\n\n${leaf}\nbye`],
  ];
  it.each(mended)('mends a certificate %s', async (_, text) => {
    expect(await textOf('{{pem s.x}}', { s: fieldsOf({ x: Secret.text(text) }) })).toBe(leaf);
  });

  it('makes a chain that keytool of a JDK reads', async ({ skip }) => {
    if (!(await isHere('keytool', '-help'))) skip('keytool is not on PATH');
    const given = fieldsOf({ leaf: Secret.text(oneLine(leaf)), all: [Secret.text(pemOf('issuer'))] });
    await withPaths([await textOf('{{pem s.leaf s.all}}', { s: given })], async ([path = '']) => {
      const { stdout } = await run('keytool', ['-J-Duser.language=en', '-printcert', '-file', path]);
      const owners = [...stdout.matchAll(/^Owner: (.*)$/gm)].map(([, owner]) => owner);
      expect(owners).toEqual([expect.stringContaining('CN=shop.svc'), expect.stringContaining('CN=Shop Issuer')]);
    });
  });

  const chains: readonly (readonly [given: readonly Name[], ordered: readonly Name[]])[] = [
    [
      ['leaf', 'issuer', 'root'],
      ['leaf', 'issuer', 'root'],
    ],
    [
      ['root', 'issuer', 'leaf'],
      ['leaf', 'issuer', 'root'],
    ],
    [
      ['issuer', 'leaf'],
      ['leaf', 'issuer'],
    ],
    [
      ['root', 'leaf'],
      ['root', 'leaf'],
    ],
    [
      ['issuer', 'issuer-new-key', 'leaf-of-new-key'],
      ['issuer', 'leaf-of-new-key', 'issuer-new-key'],
    ],
    [
      ['root', 'issuer', 'leaf-of-new-key', 'leaf', 'issuer-new-key'],
      ['leaf-of-new-key', 'issuer-new-key', 'root', 'leaf', 'issuer'],
    ],
    [
      ['leaf', 'leaf', 'issuer', 'leaf'],
      ['leaf', 'issuer'],
    ],
  ];
  it.each(chains)('makes of %j the chain %j', async (given, ordered) => {
    expect(await chainOf(...given.map(pemOf))).toEqual(ordered);
    expect(await chainOf(given.map(pemOf).join('\n'))).toEqual(ordered);
  });

  it('joins texts and lists, and leaves keys where they are', async () => {
    const s = fieldsOf({
      key: Secret.text(key),
      leaf: Secret.text(leaf),
      chain: ['root', 'issuer'].map((n) => Secret.text(pemOf(n as Name))),
    });
    const text = await textOf('{{pem s.chain s.key s.leaf}}', { s });
    expect(text).toBe([leaf, pemOf('issuer'), key, pemOf('root')].join('\n'));
  });

  it('keeps the headers of an encrypted key', async () => {
    const old =
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AA\n\nc2hvcA==\n-----END RSA PRIVATE KEY-----';
    expect(await textOf('{{pem s.x}}', { s: fieldsOf({ x: Secret.text(old.replaceAll('\n', '\r\n')) }) })).toBe(old);
  });

  const refused: readonly (readonly [what: string, text: string, seen: string])[] = [
    ['no PEM', 'hunter2', 'pem takes whole PEM blocks'],
    ['nothing', '', 'pem takes whole PEM blocks'],
    ['a block without an end', `${leaf}\n-----BEGIN CERTIFICATE-----\nAAAA`, 'pem takes whole PEM blocks'],
    ['an end of another kind', '-----BEGIN A-----\nAAAA\n-----END B-----', 'pem takes whole PEM blocks'],
    ['no base64', '-----BEGIN A-----\nA*\n-----END A-----', 'pem takes whole PEM blocks'],
    ['an empty block', '-----BEGIN A-----\n-----END A-----', 'pem takes whole PEM blocks'],
    [
      'a block that is not a certificate, beside a certificate',
      `${leaf}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`,
      'pem got a certificate that cannot be read',
    ],
  ];
  it.each(refused)('refuses %s', async (_, text, seen) => {
    const why = await failureOf('{{pem s.x}}', { s: fieldsOf({ x: Secret.text(text) }) });
    expect(why).toMatchObject({ code: 'RENDER_BAD_ARGUMENT', seen: `${seen}; it was given s.x` });
  });
});

describe('x509', () => {
  const s = fieldsOf({
    leaf: Secret.text(`${key}\n${leaf}\n${pemOf('issuer')}`),
    der: Secret.bytes(new X509Certificate(leaf).raw),
    root: Secret.text(oneLine(pemOf('root'))),
    key: Secret.text(key),
  });

  const fields: readonly (readonly [template: string, text: string])[] = [
    ['{{x509 s.leaf "subject"}}', 'CN=shop.svc,O=Shop\\, Inc.,C=DE'],
    ['{{x509 s.leaf "issuer"}}', 'CN=Shop Issuer,O=Shop'],
    ['{{x509 s.leaf "serial"}} {{x509 s.root "serial"}}', '0a:0c:11 01'],
    ['{{x509 s.leaf "notBefore"}} {{x509 s.leaf "notAfter"}}', '2026-11-21T11:40:27Z 2046-11-16T11:40:27Z'],
    [
      '{{join (x509 s.leaf "sans") " "}}',
      'DNS:shop.svc DNS:*.shop.svc IP:10.0.0.7 IP:fd00::7 URI:spiffe://shop/a,b email:ops@shop.svc',
    ],
    ['{{join (x509 s.leaf "dnsNames") " "}}', 'shop.svc *.shop.svc'],
    ['{{join (x509 s.leaf "ipAddresses") " "}}', '10.0.0.7 fd00::7'],
    ['{{json (x509 s.root "sans")}}{{default (first (x509 s.root "dnsNames")) "none"}}', '[]none'],
    ['{{x509 s.leaf "fingerprint"}}', new X509Certificate(leaf).fingerprint256.replaceAll(':', '').toLowerCase()],
    ['{{x509 s.der "subject"}}', 'CN=shop.svc,O=Shop\\, Inc.,C=DE'],
  ];
  it.each(fields)('%s', async (template, text) => {
    expect(await textOf(template, { s })).toBe(text);
  });

  it.each([
    ['{{x509 s.key "subject"}}', 'x509 takes a certificate in PEM; it was given s.key'],
    ['{{x509 s "subject"}}', 'x509 takes text, not a map; it was given s'],
    ['{{x509 s.leaf (lower "Names")}}', expect.stringMatching(/^x509 takes one of subject, .* as FIELD/)],
  ])('%s is refused', async (template, seen) => {
    expect(await failureOf(template, { s })).toMatchObject({ code: 'RENDER_BAD_ARGUMENT', seen });
  });
});
