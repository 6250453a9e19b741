import type { Config } from '../../config/config.ts';

/** Whether there are listeners that show secrets, or that pass requests on. */
export function hasClients({ api, proxy, sds }: Config): boolean {
  return [api, proxy, sds].some((section) => section !== undefined && section.listeners.length > 0);
}

/** Secrets that are fetched for listeners, even if no output needs them. */
export function servedSecrets(config: Config): ReadonlySet<string> {
  return new Set([...apiSecrets(config), ...sdsSecrets(config)]);
}

/** Backends that are opened for listeners, even if no secret needs them. */
export function servedBackends({ api, proxy, sds }: Config): ReadonlySet<string> {
  const byAws = (api?.listeners ?? []).map(({ aws }) => aws?.onDemand?.backend);
  return new Set([proxy?.backend, sds?.onDemand?.backend, ...byAws].filter((name) => name !== undefined));
}

/** Secrets that listeners of the API show. */
function apiSecrets({ api, secrets }: Config): Iterable<string> {
  const listeners = api?.listeners ?? [];
  if (listeners.some((listener) => listener.secrets === undefined)) return secrets.keys();
  return listeners.flatMap((listener) => listener.secrets ?? []);
}

/** The secrets that clients of the secret discovery service can ask for. */
function sdsSecrets({ sds }: Config): readonly string[] {
  return [...(sds?.secrets.values() ?? [])].flatMap((one) => {
    if (one.kind === 'session-tickets') return [];
    return one.kind === 'trust' && one.crl !== undefined ? [one.from.secret, one.crl.secret] : [one.from.secret];
  });
}
