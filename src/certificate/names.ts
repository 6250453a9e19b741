import type { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { elements, readOid, SEQUENCE, UTF8_STRING, within } from './der.ts';

/** The names that a certificate is asked for. */
export interface Names {
  /** Empty: none is asked for. */
  readonly commonName: string;
  readonly dns: readonly string[];
  readonly emails: readonly string[];
  readonly ips: readonly string[];
  readonly uris: readonly string[];
  /** `OID;UTF8:TEXT`, as the PKI engine writes them. */
  readonly others: readonly string[];
}

/** Names of kinds that are compared with each other only: `DNS:shop.svc`, in one form for each name. */
type Subject = string;

const SUBJECT_ALT_NAME = '2.5.29.17';
const COMMON_NAME = '2.5.4.3';

/** The tags of general names (RFC 5280, section 4.2.1.6). */
export const GENERAL_NAME = { other: 0xa0, email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const;

/**
 * The names that were asked for and are not in the certificate, in words. A common name counts also when it is among
 * the alternative names, and the other way round nothing does: clients no longer read the common name.
 * @throws RangeError when the certificate is not DER
 */
export function missingNames(x509: X509Certificate, asked: Names): readonly string[] {
  const { alternative, common } = namesIn(x509);
  const wanted = [
    ...asked.dns.map((name) => ['the DNS name', name, `DNS:${dnsForm(name)}`]),
    ...asked.emails.map((name) => ['the e-mail address', name, `email:${name.toLowerCase()}`]),
    ...asked.ips.map((name) => ['the IP address', name, `IP:${ipForm(name)}`]),
    ...asked.uris.map((name) => ['the URI', name, `URI:${name}`]),
    ...asked.others.map((name) => ['the other name', name, `other:${otherForm(name)}`]),
  ] as const;
  const missing = wanted.filter(([, , subject]) => !alternative.has(subject as string));
  const words = missing.map(([kind, name]) => `${kind} ${name}`);
  const { commonName } = asked;
  const hasCommon =
    commonName === '' ||
    common.has(commonName) ||
    alternative.has(`DNS:${dnsForm(commonName)}`) ||
    alternative.has(`email:${commonName.toLowerCase()}`);
  return hasCommon ? words : [`the common name ${commonName}`, ...words];
}

function namesIn(x509: X509Certificate): {
  readonly alternative: ReadonlySet<Subject>;
  readonly common: ReadonlySet<string>;
} {
  const [certificate] = elements(x509.raw);
  const [body] = certificate === undefined ? [] : within(certificate);
  const parts = body === undefined ? [] : within(body);
  // Version, serial number, algorithm, issuer, validity, subject; the version has a tag of its own and may be absent.
  const subject = parts[parts[0]?.tag === 0xa0 ? 5 : 4];
  const common = new Set(
    (subject === undefined ? [] : within(subject)).flatMap((set) =>
      within(set).flatMap((pair) => {
        const [type, value] = within(pair);
        return type !== undefined && value !== undefined && readOid(type) === COMMON_NAME
          ? [value.body.toString('utf8')]
          : [];
      }),
    ),
  );
  const [list] = parts.filter(({ tag }) => tag === 0xa3).flatMap(within);
  const extensions = list === undefined ? [] : within(list);
  for (const extension of extensions) {
    const [type, ...rest] = within(extension);
    const value = rest.at(-1); // between them may stand whether the extension is critical
    if (type === undefined || value === undefined || readOid(type) !== SUBJECT_ALT_NAME) continue;
    const alternative = elements(value.body)
      .filter(({ tag }) => tag === SEQUENCE)
      .flatMap(within)
      .flatMap(subjectOf);
    return { alternative: new Set(alternative), common };
  }
  return { alternative: new Set(), common };
}

function subjectOf({ tag, body }: { readonly tag: number; readonly body: Buffer }): readonly Subject[] {
  switch (tag) {
    case GENERAL_NAME.dns:
      return [`DNS:${dnsForm(body.toString('latin1'))}`];
    case GENERAL_NAME.email:
      return [`email:${body.toString('latin1').toLowerCase()}`];
    case GENERAL_NAME.uri:
      return [`URI:${body.toString('latin1')}`];
    case GENERAL_NAME.ip:
      return [`IP:${body.toString('hex')}`];
    case GENERAL_NAME.other: {
      const [type, wrapped] = elements(body);
      const [text] = wrapped === undefined ? [] : within(wrapped);
      if (type === undefined || text?.tag !== UTF8_STRING) return [];
      return [`other:${readOid(type)};${text.body.toString('utf8')}`];
    }
    default:
      return [];
  }
}

/** Names of hosts have no case, and those of other scripts are written in ASCII. `*.shop.svc` stays as it is. */
function dnsForm(name: string): string {
  const [, star = '', rest = name] = /^(\*\.)(.*)$/.exec(name) ?? [];
  return `${star}${domainToASCII(rest) || rest.toLowerCase()}`.replace(/\.$/, '');
}

const ipForm = (address: string): string => ipBytes(address).toString('hex');

/** The bytes of an IP address that the configuration has checked. */
export function ipBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  // An IPv4 address at the end stands for the last two groups.
  const groups = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...digits: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = digits.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = [], tail = []] = groups.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const middle = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [i, group] of [...head, ...middle, ...tail].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2);
  return bytes;
}

/** An other name in its two parts. */
export function otherParts(name: string): { readonly type: string; readonly text: string } {
  const [, type = '', text = ''] = /^([\d.]+);UTF-?8:(.*)$/is.exec(name) ?? [];
  return { type, text };
}

function otherForm(name: string): string {
  const { type, text } = otherParts(name);
  return `${type};${text}`;
}
