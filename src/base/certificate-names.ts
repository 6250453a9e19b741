import type { X509Certificate } from 'node:crypto';

/** Node gives the parts of a name one per line, from the root down; RFC 4514 begins with the last. */
export const oneLineName = (name: string | undefined): string => (name ?? '').split('\n').reverse().join(',');

/** A serial number as OpenBao writes it: `0a:1b`. */
export const serialWithColons = (hex: string): string => (hex.toLowerCase().match(/../g) ?? []).join(':');

/** `DNS:a, IP Address:10.0.0.1, DirName:"…"`. Node writes a name that holds a comma or the like as a JSON string. */
const ALT_NAME = /([^:,]+):((?:"(?:\\.|[^"\\])*"|[^,"])*)(?:, |$)/g;

/** The alternative names of a certificate, each with its kind: `DNS`, `IP`, `URI`, `email`. */
export function altNamesOf({
  subjectAltName = '',
}: Pick<X509Certificate, 'subjectAltName'>): (readonly [kind: string, name: string])[] {
  return [...subjectAltName.matchAll(ALT_NAME)].map(([, kind = '', name = '']) => {
    if (kind === 'IP Address') return ['IP', IPV6.test(name) ? shortest(name) : name];
    return [kind, name.startsWith('"') ? (JSON.parse(name) as string) : name];
  });
}

/** An IPv6 address as OpenSSL writes it. Other texts, such as `<invalid>`, stay as they are. */
const IPV6 = /^[0-9A-F]{1,4}(?::[0-9A-F]{1,4}){7}$/;

/** An IPv6 address as RFC 5952 writes it. */
const shortest = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);
