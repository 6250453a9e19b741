import { loadCrypto } from '../base/node-crypto.ts';
import type { Config } from '../config/config.ts';

/** A configuration is hashed once. */
const known = new WeakMap<Config, string>();

/** Where the configuration comes from differs between machines that have the same one. */
const ELSEWHERE: ReadonlySet<string> = new Set(['files', 'folders', 'warnings']);

/**
 * Tells one configuration from another: agents with the same settings have the same text. Values that are kept secret
 * are no part of it, and the order of keys does not count.
 */
export function configIdentity(config: Config): string {
  const identity = known.get(config) ?? hashOf(config);
  known.set(config, identity);
  return identity;
}

function hashOf(config: Config): string {
  const settings = Object.fromEntries(Object.entries(config).filter(([key]) => !ELSEWHERE.has(key)));
  return loadCrypto().hash('sha256', JSON.stringify(settings, sorted), 'hex').slice(0, 16);
}

/** Maps become objects, and the keys of objects are in order. A `Secret` is `[secret]` by then. */
function sorted(_key: string, value: unknown): unknown {
  if (value instanceof Set) return [...value].sort();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
