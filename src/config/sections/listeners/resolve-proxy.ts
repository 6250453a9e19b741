import { parseDuration } from '../../../base/duration.ts';
import type { BackendConfig, ProxyCacheConfig, ProxyConfig, ProxyListenConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { formatPlace } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { ProxyShape } from '../../schema.ts';
import type { BackendKindConfig } from '../backends/kind.ts';
import { configuredHint, type KnownBackends, namesToShow } from '../secrets/resolve.ts';
import { resolveHostPort, resolveSocket } from './resolve-listen.ts';

const MAX_ENTRIES = 1_000;
const MAX_BYTES = 16 * 2 ** 20;
const MAX_STALE_MS = 30_000;

const ONLY_WITH_SOCKET = ['mode', 'uid', 'gid'] as const;

/** The proxy's configuration; undefined when there is no such section, or when something is wrong with it. */
export function resolveProxy(
  entry: ConfigEntry | undefined,
  known: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
): ProxyConfig | undefined {
  return entry && resolveEntry('proxy', entry, problems, (shape, found) => proxyOf(shape, entry, known, kinds, found));
}

function proxyOf(
  shape: ProxyShape,
  entry: ConfigEntry,
  known: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
): ProxyConfig | undefined {
  const before = problems.count;
  const listeners = resolveListeners(shape, entry, problems);
  const backend = chooseBackend(shape, entry, known, kinds, problems);
  const root = resolveRoot(shape, entry, known.resolved.get(backend ?? ''), problems);
  if (backend === undefined || problems.count > before) return undefined;
  return {
    listeners,
    backend,
    useAutoAuthToken: shape.useAutoAuthToken ?? false,
    useClientCertificate: shape.useClientCertificate ?? false,
    ...(root === undefined ? {} : { rootNamespace: root }),
    quit: shape.quit ?? false,
    ...(shape.cache === undefined ? {} : { cache: resolveCache(shape.cache) }),
  };
}

/** The namespace that clients see as the root. A problem was added when there is none to see so. */
function resolveRoot(
  { namespaceAsRoot }: ProxyShape,
  { file, path }: ConfigEntry,
  backend: (BackendConfig & { readonly namespace?: string }) | undefined,
  problems: Problems,
): string | undefined {
  if (namespaceAsRoot !== true || backend === undefined) return undefined;
  if (backend.namespace !== undefined) return backend.namespace;
  const hint = `Add backends.${backend.name}.namespace, or remove namespaceAsRoot.`;
  const seen = `true, but the backend ${backend.name} has no namespace`;
  problems.add('CONFIG_INVALID', file, [...path, 'namespaceAsRoot'], seen, hint);
  return undefined;
}

function resolveListeners(
  shape: ProxyShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): readonly ProxyListenConfig[] {
  const { socket, listen, requireRequestHeader: required } = shape;
  const place = formatPlace(path);
  const listeners: ProxyListenConfig[] = [];
  if (socket !== undefined) {
    const where = resolveSocket({ ...shape, socket }, file);
    listeners.push({ where, place, requireRequestHeader: required ?? false });
  }
  if (listen !== undefined) {
    const where = resolveHostPort(listen);
    listeners.push({ where, place, requireRequestHeader: required ?? true });
  }
  if (listeners.length === 0)
    problems.add('CONFIG_MISSING', file, path, 'the proxy has neither socket nor listen', 'Add one of them.');
  for (const key of ONLY_WITH_SOCKET) {
    if (socket !== undefined || shape[key] === undefined) continue;
    problems.add(
      'CONFIG_INVALID',
      file,
      [...path, key],
      `${key} goes with socket, and there is no socket`,
      'Remove it.',
    );
  }
  return listeners;
}

/** The backend that the section names, or else the only one that can have a proxy. */
function chooseBackend(
  { backend }: ProxyShape,
  { file, path }: ConfigEntry,
  { names, resolved, nearest }: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
): string | undefined {
  const proxied = kinds.filter(({ hasProxy }) => hasProxy).map(({ kind }) => kind);
  const isProxied = (name: string) => {
    const kind = resolved.get(name)?.kind;
    return kind === undefined || proxied.includes(kind); // a backend with problems has been reported already
  };
  const place = [...path, 'backend'];
  if (backend === undefined) {
    const fitting = names.filter(isProxied);
    const seen =
      fitting.length === 0
        ? `there is no backend of kind ${proxied.join(' or ')}`
        : `backend is absent, and there are several: ${namesToShow(fitting)}`;
    if (fitting.length !== 1) problems.add('CONFIG_MISSING', file, place, seen);
    return fitting.length === 1 ? fitting[0] : undefined;
  }
  if (!names.includes(backend)) {
    const unknown = { what: 'backend', name: backend, near: nearest(backend) };
    problems.addUnknown('CONFIG_UNKNOWN_BACKEND', file, place, unknown, configuredHint(names));
    return undefined;
  }
  if (isProxied(backend)) return backend;
  problems.add(
    'CONFIG_INVALID',
    file,
    place,
    `${backend} is of kind ${resolved.get(backend)?.kind}, and the proxy takes only ${proxied.join(' and ')}`,
  );
  return undefined;
}

function resolveCache({ maxEntries, maxBytes, staticKv }: NonNullable<ProxyShape['cache']>): ProxyCacheConfig {
  const maxStale = staticKv?.maxStale;
  return {
    maxEntries: maxEntries ?? MAX_ENTRIES,
    maxBytes: maxBytes ?? MAX_BYTES,
    ...(staticKv === undefined
      ? {}
      : { staticKv: { maxStaleMs: maxStale === undefined ? MAX_STALE_MS : (parseDuration(maxStale) as number) } }),
  };
}
