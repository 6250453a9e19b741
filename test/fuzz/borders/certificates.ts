import { X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { Secret } from '../../../src/base/secret.ts';
import { checkCertificate, UnfitCertificateError } from '../../../src/certificate/check.ts';
import { elements, readOid, within } from '../../../src/certificate/der.ts';
import { missingNames, otherParts } from '../../../src/certificate/names.ts';
import { certificatesIn, privateKeyIn, unfolded } from '../../../src/certificate/pem.ts';
import { renewalId } from '../../../src/certificate/renewal-id.ts';
import { CertificateFault } from '../../../src/render/certificate/fault.ts';
import { identityOf } from '../../../src/render/certificate/identity.ts';
import { findCertificates } from '../../../src/render/certificate/read.ts';
import { createAuthority } from '../../servers/certificates.ts';
import { type Border, CANARY } from '../border.ts';
import { damaged, nasty } from '../inputs.ts';

const PIECES = [
  '-----BEGIN CERTIFICATE-----',
  '-----END CERTIFICATE-----',
  '-----BEGIN PRIVATE KEY-----',
  '-----BEGIN ENCRYPTED PRIVATE KEY-----',
  `\n-----BEGIN EC PRIVATE KEY-----\n${CANARY}`,
  'Proc-Type: 4,ENCRYPTED\n',
  '\\n',
  '\\r\\n',
];

interface Input {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly chain: readonly Buffer[];
  readonly der: Buffer;
  readonly name: string;
}

/** Certificates and keys that a backend, an issuer or a file gives. */
export const certificates: Border<Input> = {
  name: 'certificates and keys',
  share: 8_000,
  async open() {
    const authority = createAuthority('ca');
    const pair = authority.issue({ commonName: 'a.example' });
    const key = pair.keyPem;
    const { raw } = new X509Certificate(pair.certificatePem);
    const pem = fc.constantFrom(pair.certificatePem, authority.certificatePem, pair.certificatePem + pair.keyPem, '');
    return {
      inputs: fc.record({
        certificate: fc.oneof(fc.constant(Buffer.from(pair.certificatePem)), damaged(pem, PIECES)),
        key: fc.oneof(fc.constant(Buffer.from(key)), damaged(fc.constantFrom(key, CANARY), PIECES)),
        chain: fc.array(damaged(pem, PIECES), { maxLength: 2 }),
        der: damaged(fc.constant(raw)),
        name: nasty,
      }),
      async feed(input) {
        const said: string[] = [];
        const [certificate, privateKey] = [input.certificate.toString(), input.key.toString()];
        const chain = input.chain.map((one) => one.toString());
        const names = {
          commonName: input.name,
          dns: [input.name],
          emails: [input.name],
          ips: ['10.0.0.1', '::1'],
          uris: [input.name],
          others: [input.name],
        };
        const attempt = (work: () => unknown) => {
          try {
            work();
          } catch (error) {
            const isExpected =
              error instanceof UnfitCertificateError ||
              error instanceof CertificateFault ||
              error instanceof RangeError;
            if (!isExpected) throw error;
            said.push(error.message);
          }
        };
        attempt(() =>
          checkCertificate({ certificate, privateKey, chain }, { nowMs: Date.now(), clockSkewMs: 1000, names }),
        );
        const sources = [certificate, privateKey, ...chain].map((text) => ({
          name: 'tls.x',
          value: Secret.text(text),
        }));
        attempt(() => identityOf(findCertificates([...sources, { name: 'tls.der', value: Secret.bytes(input.der) }])));
        attempt(() => {
          const walk = (bytes: Buffer, depth: number): void => {
            for (const element of elements(bytes)) {
              readOid(element);
              if (depth < 20 && (element.tag & 0x20) !== 0) walk(element.body, depth + 1);
              within({ tag: element.tag, body: Buffer.alloc(0) });
            }
          };
          walk(input.der, 0);
        });
        certificatesIn(unfolded(certificate));
        privateKeyIn(unfolded(privateKey));
        attempt(() => otherParts(input.name));
        try {
          const x509 = new X509Certificate(input.der);
          attempt(() => missingNames(x509, names));
          attempt(() => renewalId(x509));
        } catch {
          // Node refuses it
        }
        return said;
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
