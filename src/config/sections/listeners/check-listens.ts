import type { ListenConfig } from '../../config.ts';
import type { Problems } from '../../problems/problems.ts';

/** A listener of any section, with its configuration path. */
export interface Listening {
  readonly where: ListenConfig;
  readonly place: string;
}

/** Two listeners cannot share a socket, nor a port of one address. */
export function checkListens(listeners: Iterable<Listening>, problems: Problems): void {
  const before: { readonly where: ListenConfig; readonly name: string }[] = [];
  for (const { where, place } of listeners) {
    const name = `${place}.${where.kind === 'unix' ? 'socket' : 'listen'}`;
    const owner = before.find((one) => collide(one.where, where));
    if (owner === undefined) before.push({ where, name });
    else problems.addAt('CONFIG_DUPLICATE', name, `the same as ${owner.name}`, 'Give each one of its own.');
  }
}

function collide(a: ListenConfig, b: ListenConfig): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  const [one, other] = [plainHost(a.host), plainHost(b.host)];
  return a.port === b.port && (one === other || covers(one, other) || covers(other, one));
}

/** Whether who listens on `host` takes the port from `other`. `::` listens on IPv4 as well (RFC 3493 section 3.7). */
function covers(host: string, other: string): boolean {
  if (host === '::') return true;
  if (host === '0.0.0.0') return !other.includes(':');
  return host === 'localhost' && (other === '127.0.0.1' || other === '::1');
}

/** An IPv6 address in its one short form (RFC 5952), a name in small letters. */
function plainHost(host: string): string {
  if (!host.includes(':')) return host.toLowerCase();
  return URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host;
}
