import { fail } from '../base/errors.ts';

/** The socket, or the host and port, that a request is sent to. */
export type Target =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly protocol: 'http:' | 'https:'; readonly host: string; readonly port: number };

export interface ParsedTarget {
  readonly target: Target;
  /** Put before every path; empty, or a path that begins with a slash and ends without one. */
  readonly base: string;
  /** For messages: no credentials, no trailing slash. */
  readonly shown: string;
}

/**
 * `https://host:port`, `http://…` with or without a path, or `unix:///path`.
 * @throws PannierError CONFIG_INVALID for an address of another form.
 */
export function parseTarget(address: string, place: string): ParsedTarget {
  if (address.startsWith('unix:///')) {
    return { target: { kind: 'unix', socketPath: address.slice('unix://'.length) }, base: '', shown: address };
  }
  const url = URL.parse(address);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw fail('CONFIG_INVALID', `${place}.address`, 'not an http, https or unix address');
  }
  const base = url.pathname.replace(/\/+$/, '');
  return { target: tcpTarget(url), base, shown: `${url.protocol}//${url.host}${base}` };
}

/** @param url must be http or https. */
export function tcpTarget(url: URL): Target {
  const protocol = url.protocol as 'http:' | 'https:';
  const port = url.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { kind: 'tcp', protocol, host: url.hostname.replace(/^\[|\]$/g, ''), port };
}
