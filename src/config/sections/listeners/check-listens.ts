import type { ListenConfig } from '../../config.ts';
import type { Problems } from '../../problems/problems.ts';

/** A listener of any section, with its configuration path. */
export interface PlacedListener {
  readonly where: ListenConfig;
  readonly place: string;
}

/** Refuses two listeners on one socket, or on one port of one address. */
export function checkListens(listeners: Iterable<PlacedListener>, problems: Problems): void {
  const before: { readonly where: ListenConfig; readonly name: string }[] = [];
  for (const { where, place } of listeners) {
    const name = `${place}.${where.kind === 'unix' ? 'socket' : 'listen'}`;
    const owner = before.find((other) => collide(other.where, where));
    if (owner === undefined) before.push({ where, name });
    else
      problems.addAt(
        'CONFIG_DUPLICATE',
        name,
        `the address is that of ${owner.name} too`,
        'Give each listener an address of its own.',
      );
  }
}

function collide(a: ListenConfig, b: ListenConfig): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  const [hostA, hostB] = [plainHost(a.host), plainHost(b.host)];
  return a.port === b.port && (hostA === hostB || covers(hostA, hostB) || covers(hostB, hostA));
}

/** Whether a listener on `host` also takes the port on `other`. `::` listens on IPv4 as well (RFC 3493 section 3.7). */
function covers(host: string, other: string): boolean {
  if (host === '::') return true;
  if (host === '0.0.0.0') return !other.includes(':');
  return host === 'localhost' && (other === '127.0.0.1' || other === '::1');
}

/** A host in one spelling: an IPv6 address in its short form (RFC 5952), a name in lower case. */
function plainHost(host: string): string {
  if (!host.includes(':')) return host.toLowerCase();
  return URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host;
}
