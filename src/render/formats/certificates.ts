import type { Code } from '../../base/codes.ts';
import { type Failure, failure } from '../../base/errors.ts';
import type { Value } from '../../base/value.ts';
import type { CertificatePart, FileContent, FormatName, FormatOptions } from '../../config/config.ts';
import {
  CertificateFault,
  derOf,
  findCertificates,
  type Identity,
  identityOf,
  keystoreOf,
  pemOf,
  readPassword,
  truststoreOf,
} from '../certificate/index.ts';
import type { RenderFile } from '../render-file.ts';
import { RenderFault } from '../template/fault.ts';
import { MASK } from '../template/mask.ts';
import { toBytes } from '../template/text.ts';
import { demandPicked, type PickedSource, pick } from './pick.ts';

type Content = Extract<FileContent, { kind: 'format' }>;

type Parts = readonly Exclude<CertificatePart, 'key'>[];

/** Makes a file of a certificate. @throws CertificateFault */
type Make = (identity: Identity, options: FormatOptions, password: string | undefined) => Uint8Array;

const MAKE: Readonly<Partial<Record<FormatName, Make>>> = {
  pem: (identity, { parts = ['fullchain'], keyFormat }, password) =>
    toBytes(pemOf(identity, parts, { keyFormat, password })),
  der: (identity, { parts: [part = 'leaf'] = [], keyFormat }, password) =>
    derOf(identity, part, { keyFormat, password }),
  pkcs12: (identity, { parts = ['fullchain'], alias = '1' }, password = '') =>
    keystoreOf(identity, parts as Parts, password, alias),
  truststore: (identity, { parts = ['ca'] }, password = '') => truststoreOf(identity, parts as Parts, password),
};

/** Checks and prepares a file of certificates and keys; adds what is wrong with its options to `problems`. */
export function certificateFile(name: string, place: string, content: Content, problems: Failure[]): RenderFile {
  problems.push(...problemsOf(content, place));
  const { format, from, options = {} } = content;
  const { password } = options;
  // A keystore takes 20 ms, and a secret that has not changed keeps its values: they need no second look.
  let last: { readonly values: readonly (Value | undefined)[]; readonly bytes: Uint8Array } | undefined;
  const render: RenderFile['render'] = (view, _lookUp, masked) => {
    const sources = from.map((source) => pick(source, view));
    const secret = password === undefined ? undefined : pick(password, view);
    const values = [...sources, secret].map((source) => source?.value);
    if (last === undefined || values.some((value, i) => value !== last?.values[i]))
      last = { values, bytes: write(format, sources, options, secret) };
    return masked ? toBytes(MASK) : last.bytes; // a part of a certificate cannot be masked, so all of it is
  };
  const wants = [...from, ...(password === undefined ? [] : [password])].map(([secret = '']) => secret);
  return { name, place, origin: place, wants, asks: [], render };
}

/** @throws RenderFault */
function write(
  format: FormatName,
  sources: readonly PickedSource[],
  options: FormatOptions,
  password: PickedSource | undefined,
): Uint8Array {
  const given = sources.flatMap(({ from, value }) => (value === undefined ? [] : [{ name: from.join('.'), value }]));
  const text = password === undefined ? undefined : passwordOf(password);
  const found = orRefuse('', () => findCertificates(given));
  const names = sources.map(({ from }) => from.join('.')).join(' and ');
  return orRefuse(`${names}: `, () => (MAKE[format] as Make)(identityOf(found), options, text));
}

/** @throws RenderFault, also for an optional secret that is absent. */
function passwordOf(source: PickedSource): string {
  const value = demandPicked(source);
  return orRefuse(`${source.from.join('.')}: `, () => readPassword(value));
}

/** What `make` gives. @throws RenderFault whose message begins with `about`. */
function orRefuse<Made>(about: string, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof CertificateFault)) throw error;
    throw new RenderFault('RENDER_BAD_CERTIFICATE', about + error.message, { hint: error.hint });
  }
}

/** What is wrong with the options of a format of certificates, whatever the secrets hold. */
function problemsOf({ format, options = {} }: Content, place: string): Failure[] {
  const { parts = [], keyFormat, password } = options;
  const problems: Failure[] = [];
  const isStore = format === 'pkcs12' || format === 'truststore';
  const hasKey = parts.includes('key');
  const add = (code: Code, key: string, seen: string, hint: string) =>
    problems.push(failure(code, `${place}.${key}`, seen, { hint }));

  if (isStore && password === undefined) {
    add('CONFIG_MISSING', 'password', 'a keystore has a password, and keytool reads none without', NAME_PASSWORD);
  }
  if (isStore && hasKey) {
    const isKeystore = format === 'pkcs12';
    const seen = isKeystore ? 'pkcs12 always holds the key' : 'a truststore holds no key';
    add(
      'CONFIG_INVALID',
      'parts',
      seen,
      isKeystore ? 'Name the certificates only.' : 'Use format: pkcs12 for the key.',
    );
  }
  if (format === 'der' && (parts.length > 1 || parts[0] === 'fullchain')) {
    add('CONFIG_INVALID', 'parts', 'der holds one key or one certificate', 'Use format: pem, or one file for each.');
  }
  if (new Set(parts).size < parts.length) {
    add('CONFIG_INVALID', 'parts', 'parts names one part twice', 'Name each part once.');
  }
  if (keyFormat !== undefined && !hasKey) add('CONFIG_INVALID', 'keyFormat', NO_KEY, 'Remove it, or add key to parts.');
  if (isStore || password === undefined) return problems;
  if (!hasKey) add('CONFIG_INVALID', 'password', NO_KEY, 'Remove it, or add key to parts.');
  else if (keyFormat !== undefined && keyFormat !== 'pkcs8') {
    add('CONFIG_INVALID', 'keyFormat', 'only a key in pkcs8 is encrypted', 'Remove keyFormat, or password.');
  }
  return problems;
}

const NAME_PASSWORD = 'Name it: password: SECRET.FIELD.';
const NO_KEY = 'the file holds no key';
