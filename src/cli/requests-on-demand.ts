import type { Config, SecretConfig } from '../config/config.ts';

const REFRESH_MS = 300_000;

/**
 * What the certificates on demand ask a backend for: a secret for a name that nobody has, or none. No configured secret
 * has a space in its name.
 */
export function requestsOnDemand(backend: string, { sds }: Config): readonly SecretConfig[] {
  const onDemand = sds?.onDemand;
  if (onDemand?.backend !== backend) return [];
  const { place, request } = onDemand;
  return [{ name: 'on demand', backend, place, optional: false, refreshMs: REFRESH_MS, request }];
}
