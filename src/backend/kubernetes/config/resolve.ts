import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import { parseAddress } from '../../../config/address.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { ResolveContext } from '../../../config/resolve-context.ts';
import { resolveRequests } from '../../../config/sections/backends/resolve-requests.ts';
import type { ClusterAccess, KubeconfigAccess, KubernetesBackendConfig } from './config.ts';
import { isReadable } from './readable-address.ts';
import type { KubernetesShape } from './schemas.ts';

const TIMEOUT_MS = 10_000;

/** Where the kubelet puts what a pod needs to ask the API server. */
const POD_FILES = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Keys that say how to reach a cluster without a kubeconfig. */
const DIRECT_KEYS = ['address', 'tokenFile', 'tls'] as const;

/**
 * Resolves a backend of kind `kubernetes`: by `kubeconfig`; else by `address` or by the variables that every pod has;
 * else by KUBECONFIG. Undefined when a problem was added.
 */
export function resolveKubernetes(
  name: string,
  shape: KubernetesShape,
  entry: ConfigEntry,
  context: ResolveContext,
): KubernetesBackendConfig | undefined {
  const { problems } = context;
  const before = problems.count;
  const access = resolveAccess(shape, entry, context);
  const requests = resolveRequests(shape.requests, entry, problems);
  if (context.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    const seen = 'NODE_TLS_REJECT_UNAUTHORIZED is 0, which would let any server pass for the API server';
    problems.add('CONFIG_TLS_UNSAFE', entry.file, [...entry.path, 'tls'], seen, 'Unset the variable.');
  }
  if (access === undefined || problems.count > before) return undefined;
  return {
    kind: 'kubernetes',
    name,
    timeoutMs: shape.timeout === undefined ? TIMEOUT_MS : (parseDuration(shape.timeout) as number),
    access,
    ...(access.from === 'cluster' ? { address: access.address } : {}),
    ...(shape.namespace === undefined ? {} : { namespace: shape.namespace }),
    ...requests,
  };
}

function resolveAccess(
  shape: KubernetesShape,
  entry: ConfigEntry,
  context: ResolveContext,
): ClusterAccess | KubeconfigAccess | undefined {
  const { file, path } = entry;
  const { env, cwd, problems } = context;
  const isInPod = !!env['KUBERNETES_SERVICE_HOST'];
  if (shape.kubeconfig === undefined && (shape.address !== undefined || isInPod)) {
    if (shape.context !== undefined) {
      problems.add('CONFIG_MISSING', file, [...path, 'kubeconfig'], 'absent, but context needs it');
    }
    return resolveCluster(shape, entry, context);
  }
  for (const key of DIRECT_KEYS) {
    if (shape[key] === undefined) continue;
    const seen = `a kubeconfig says this itself, so ${key} has no place beside it`;
    problems.add('CONFIG_INVALID', file, [...path, key], seen, `Remove kubeconfig, or ${key}.`);
  }
  const inherited = env['KUBECONFIG'];
  if (shape.kubeconfig === undefined && !inherited) {
    const hint = 'Add kubeconfig, or address and tokenFile: KUBERNETES_SERVICE_HOST, which every pod has, is not set.';
    problems.add('CONFIG_MISSING', file, [...path, 'kubeconfig'], 'absent', hint);
    return undefined;
  }
  if (shape.kubeconfig === undefined && inherited?.includes(':')) {
    const seen = 'absent, and KUBECONFIG lists several files, which are not merged';
    problems.add('CONFIG_INVALID', file, [...path, 'kubeconfig'], seen, 'Add kubeconfig with one of them.');
    return undefined;
  }
  return {
    from: 'kubeconfig',
    path: shape.kubeconfig === undefined ? resolve(cwd, inherited as string) : resolve(file.dir, shape.kubeconfig),
    ...(shape.context === undefined ? {} : { context: shape.context }),
  };
}

function resolveCluster(
  { address, tokenFile, tls = {} }: KubernetesShape,
  { file, path }: ConfigEntry,
  { env, problems }: ResolveContext,
): ClusterAccess | undefined {
  const isPod = address === undefined;
  const text = address ?? podAddress(env['KUBERNETES_SERVICE_HOST'] ?? '', env['KUBERNETES_SERVICE_PORT'] || '443');
  const parsed = parseAddress(text);
  if (parsed.wrong !== undefined || parsed.address === undefined) {
    const seen = `taken from KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT; ${parsed.wrong}`;
    problems.add('CONFIG_INVALID', file, [...path, 'address'], seen);
    return undefined;
  }
  if (isReadable(parsed.address)) {
    const seen = 'the token would go over the network unencrypted';
    problems.add('CONFIG_INVALID', file, [...path, 'address'], seen, 'Write https://.');
    return undefined;
  }
  const caFile = tls.caFile === undefined ? isPod && `${POD_FILES}/ca.crt` : resolve(file.dir, tls.caFile);
  return {
    from: 'cluster',
    address: parsed.address,
    tokenFile: tokenFile === undefined ? `${POD_FILES}/token` : resolve(file.dir, tokenFile),
    ...(caFile === false ? {} : { caFile }),
    ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
    namespaceFile: `${POD_FILES}/namespace`,
  };
}

/** An IPv6 address gets its brackets. */
function podAddress(host: string, port: string): string {
  return `https://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}
