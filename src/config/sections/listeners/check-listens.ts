import type { ListenConfig } from '../../config.ts';
import { parseHostPort } from '../../host-port.ts';
import type { MergedFiles } from '../../load/merge.ts';
import { isUnfilled, type SourceFile } from '../../load/source-file.ts';
import { type ConfigPath, formatPlace, valueAt } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import { resolveSocket } from './resolve-listen.ts';

interface Listening {
  readonly where: ListenConfig;
  readonly file: SourceFile;
  readonly path: ConfigPath;
}

/**
 * Refuses two listeners on one socket, or on one port of one address. It looks at what is written, so that it also
 * tells of listeners that have other problems.
 */
export function checkListens(singles: MergedFiles['singles'], problems: Problems): void {
  const before: Listening[] = [];
  for (const next of listensOf(singles)) {
    const owner = before.find(({ where }) => collide(where, next.where));
    if (owner === undefined) before.push(next);
    else {
      const seen = `the address is that of ${formatPlace(owner.path)} too`;
      problems.add('CONFIG_DUPLICATE', next.file, next.path, seen, 'Give each listener an address of its own.');
    }
  }
}

function listensOf(singles: MergedFiles['singles']): Listening[] {
  return (['api', 'proxy', 'admin', 'sds'] as const).flatMap((section) => {
    const entry = singles.get(section);
    if (entry === undefined) return [];
    const { file, path } = entry;
    const listeners = valueAt(file.tree, [...path, 'listeners']);
    if (!Array.isArray(listeners)) return listensAt(file, path);
    return listeners.flatMap((_, index) => listensAt(file, [...path, 'listeners', index]));
  });
}

function listensAt(file: SourceFile, path: ConfigPath): Listening[] {
  return ['socket', 'listen'].flatMap((key) => {
    const at = [...path, key];
    const text = valueAt(file.tree, at);
    if (typeof text !== 'string' || text === '' || isUnfilled(file, at)) return [];
    if (key === 'socket') return [{ where: resolveSocket({ socket: text }, file), file, path: at }];
    const tcp = parseHostPort(text);
    return tcp === undefined ? [] : [{ where: { kind: 'tcp', ...tcp }, file, path: at }];
  });
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
