import { fail } from '../base/errors.ts';
import type { Environment } from '../config/environment.ts';

/** In the form of the `proxyEnv` option of Node's agents. */
export interface ProxyEnv {
  readonly HTTP_PROXY?: string;
  readonly HTTPS_PROXY?: string;
  readonly NO_PROXY: string;
}

/** Loopback is never proxied: the rule of Go, and so of Vault Agent. */
const LOOPBACK = ['localhost', '.localhost', '::1', '127.0.0.0-127.255.255.255'];

/**
 * Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY (lower-case names win) for Node's agents. They mean what they mean to
 * Vault Agent (golang.org/x/net/http/httpproxy), which is more than Node reads: `proxy:3128` without a scheme is http,
 * `example.com` covers its subdomains, `10.0.0.0/8` is a range.
 * @throws PannierError BACKEND_UNREACHABLE when a variable holds no URL. The text may hold a password and is not shown.
 */
export function proxyEnv(env: Environment, place: string): ProxyEnv {
  const https = proxyUrl(env, 'HTTPS_PROXY', place);
  const http = proxyUrl(env, 'HTTP_PROXY', place);
  return {
    ...(https === undefined ? {} : { HTTPS_PROXY: https }),
    ...(http === undefined ? {} : { HTTP_PROXY: http }),
    NO_PROXY: [...LOOPBACK, ...(read(env, 'NO_PROXY') ?? '').split(',').flatMap(bypass)].join(','),
  };
}

function proxyUrl(env: Environment, name: string, place: string): string | undefined {
  const text = read(env, name);
  if (text === undefined) return undefined;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href;
  const hint = `Write ${name} as http://host:port.`;
  throw fail('BACKEND_UNREACHABLE', place, `${name} is not an http or https URL`, { hint });
}

function bypass(entry: string): string[] {
  const text = entry.trim();
  if (text === '') return [];
  const [, network, bits] = /^(\d+\.\d+\.\d+\.\d+)\/(\d{1,2})$/.exec(text) ?? [];
  if (network !== undefined && Number(bits) <= 32) return [range(network, Number(bits))];
  return /^[.*\d[]/.test(text) || text.includes(':') ? [text] : [text, `.${text}`];
}

function range(network: string, bits: number): string {
  const address = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - bits);
  const first = Math.floor(address / size) * size;
  return `${dotted(first)}-${dotted(first + size - 1)}`;
}

const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address / 2 ** shift) & 255).join('.');

function read(env: Environment, name: string): string | undefined {
  return env[name.toLowerCase()] || env[name] || undefined;
}
