import type { Config, SecretConfig } from '../config/config.ts';

const REFRESH_MS = 300_000;

/** What a configuration asks a backend for: its secrets, and certificates on demand, with a name that nobody has. */
export function requestsTo(backend: string, { secrets, sds }: Config): readonly SecretConfig[] {
  const own = [...secrets.values()].filter((secret) => secret.backend === backend);
  const onDemand = sds?.onDemand;
  if (onDemand?.backend !== backend) return own;
  const { place, request } = onDemand;
  return [...own, { name: 'on-demand', backend, place, optional: false, refreshMs: REFRESH_MS, request }];
}
