import { createHash } from 'node:crypto';
import type { Config, SecretConfig } from '../config/config.ts';
import type { Backend, Want } from '../source/source.ts';

/** The named wants of a configuration, for `LeaseManager.reconcile`. */
export function wantsOf(
  config: Config,
  backends: ReadonlyMap<string, Backend>,
  names: Iterable<string>,
): ReadonlyMap<string, Want> {
  const wants = new Map<string, Want>();
  for (const name of names) {
    const secret = config.secrets.get(name);
    const backend = secret === undefined ? undefined : backends.get(secret.backend);
    if (secret !== undefined && backend !== undefined) wants.set(name, wantOf(secret, backend.identity));
  }
  return wants;
}

function wantOf(secret: SecretConfig, identity: string): Want {
  return Object.freeze({
    id: wantId(identity, secret.request),
    backend: secret.backend,
    request: secret.request,
    place: secret.place,
    refreshMs: secret.refreshMs,
    optional: secret.optional,
    ...(secret.maxStaleMs === undefined ? {} : { maxStaleMs: secret.maxStaleMs }),
  });
}

/**
 * Identity of a want: backend (address, namespace, login) and request, never the name. A renamed secret keeps its
 * lease, two names for one request share one. Requests are plain data; the order of their keys does not count.
 */
export function wantId(identity: string, request: SecretConfig['request']): string {
  return createHash('sha256')
    .update(`${identity}\n${canonical(request)}`)
    .digest('base64url');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}
