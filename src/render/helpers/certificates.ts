import { Secret } from '../../base/secret.ts';
import { isSecret, type Value } from '../../base/value.ts';
import type { CertificatePart, KeyFormat } from '../../config/config.ts';
import type * as Certificates from '../certificate/index.ts';
import { BadArgument, type Helper, takeNonEmptyText, takeOneOf } from './helper.ts';

/** Undefined until a template that calls one of the helpers has been read. */
let certificates: typeof Certificates | undefined;

const load = async (): Promise<void> => {
  certificates ??= await import('../certificate/index.ts');
};

type Options = ReadonlyMap<string, Value>;
type CertificateParts = readonly Exclude<CertificatePart, 'key'>[];

const OF_CERTIFICATES = ['leaf', 'intermediates', 'root', 'ca', 'fullchain'] as const;
const PARTS: readonly CertificatePart[] = ['key', ...OF_CERTIFICATES];
const KEY_FORMATS = ['pkcs8', 'pkcs1', 'sec1'] as const;

/** Words of a text that are all in a list. */
function wordsOf<const Word extends string>(value: Value | undefined, name: string, known: readonly Word[]): Word[] {
  const words = isSecret(value) && value.type === 'string' ? value.exposeText('file').trim().split(/\s+/) : [''];
  return words.map((word) => takeOneOf(Secret.text(word), name, known));
}

const partsOf = (value: Value | undefined) => wordsOf(value, 'PARTS', PARTS);
const partOf = (value: Value | undefined) =>
  takeOneOf(
    value,
    'PART',
    PARTS.filter((part) => part !== 'fullchain'),
  );
const storedParts = (value: Value | undefined) => wordsOf(value, 'parts', OF_CERTIFICATES);
const keyFormatOf = (value: Value | undefined) => takeOneOf(value, 'keyFormat', KEY_FORMATS);

export const tlsPem: Helper = {
  usage: 'tlsPem PARTS VALUE…',
  options: ['keyFormat', 'password'],
  does:
    'The parts of a certificate as PEM, in the order of PARTS: words of `key`, `leaf`, `intermediates`, `root`, `ca` and ' +
    '`fullchain`. VALUE is a certificate secret, or PEM texts; see [keystores.md](keystores.md). Each block has a line ' +
    'end after it.',
  example: ['{{x509 (tlsPem "leaf" tls) "subject"}}', 'CN=shop.svc,O=Shop\\, Inc.,C=DE'],
  checks: { PARTS: partsOf, keyFormat: keyFormatOf },
  load,
  apply: ([parts, ...values], options) =>
    made(values, (identity, { pemOf }) => Secret.text(pemOf(identity, partsOf(parts), keyOptionsOf(options)))),
};

export const tlsDer: Helper = {
  usage: 'tlsDer PART VALUE…',
  options: ['keyFormat', 'password'],
  does: 'One part as bytes of DER, for `base64encode`, or as the whole template.',
  example: ['{{sha256 (tlsDer "leaf" tls)}}', 'e84b26d3aa9b4d13b9739603660d314617e6648553030ec9a3f9041acfdb5a42'],
  checks: { PART: partOf, keyFormat: keyFormatOf },
  load,
  apply: ([part, ...values], options) =>
    made(values, (identity, { derOf }) => Secret.bytes(derOf(identity, partOf(part), keyOptionsOf(options)))),
};

export const pkcs12: Helper = {
  usage: 'pkcs12 PASSWORD VALUE…',
  options: ['alias', 'parts'],
  does: 'A PKCS#12 keystore as bytes, as [format pkcs12](keystores.md) writes it: for `base64encode`, or as the whole template.',
  example: ['{{#if extra}}{{base64encode (pkcs12 db.password extra)}}{{else}}none{{/if}}', 'none'],
  checks: { parts: storedParts },
  load,
  apply: ([password, ...values], options) =>
    made(values, (identity, { keystoreOf, readPassword }) => {
      const alias = options.get('alias');
      const name = alias === undefined ? '1' : takeNonEmptyText(alias, 'alias');
      return Secret.bytes(keystoreOf(identity, partsIn(options) ?? ['fullchain'], readPassword(password), name));
    }),
};

export const truststore: Helper = {
  usage: 'truststore PASSWORD VALUE…',
  options: ['parts'],
  does: 'The same of a truststore for Java, as format truststore writes it.',
  example: [
    '{{sha256 (truststore db.password tls)}}',
    '5fff7b43cfcc4efddd0300fa294d6457320764c2d680699c0f510407a295415d',
  ],
  checks: { parts: storedParts },
  load,
  apply: ([password, ...values], options) =>
    made(values, (identity, { readPassword, truststoreOf }) =>
      Secret.bytes(truststoreOf(identity, partsIn(options) ?? ['ca'], readPassword(password))),
    ),
};

/** @throws BadArgument with the message of a CertificateFault. */
function made(
  values: readonly Value[],
  make: (identity: Certificates.Identity, all: typeof Certificates) => Secret,
): Secret {
  if (certificates === undefined) throw new TypeError('load() comes first');
  try {
    // Without names: those of fields inside a value that a helper made may be a part of that value.
    const found = certificates.findCertificates(values.map((value) => ({ name: '', value })));
    return make(certificates.identityOf(found), certificates);
  } catch (error) {
    if (!(error instanceof certificates.CertificateFault)) throw error;
    throw new BadArgument(`cannot write this: ${error.message}`);
  }
}

function keyOptionsOf(options: Options): { keyFormat: KeyFormat | undefined; password: string | undefined } {
  const [keyFormat, password] = [options.get('keyFormat'), options.get('password')];
  return {
    keyFormat: keyFormat === undefined ? undefined : keyFormatOf(keyFormat),
    password: password === undefined ? undefined : certificates?.readPassword(password),
  };
}

function partsIn(options: Options): CertificateParts | undefined {
  const parts = options.get('parts');
  return parts === undefined ? undefined : storedParts(parts);
}
