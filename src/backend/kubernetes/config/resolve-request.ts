import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { Problems } from '../../../config/problems/problems.ts';
import type { KubernetesRequest } from './config.ts';
import type { KubernetesSecretShape } from './schemas.ts';

/** Makes the request of a secret with `kubernetesSecret` or `configMap`; undefined when a problem was added. */
export function resolveKubernetesRequest(
  { kubernetesSecret, configMap, keys }: KubernetesSecretShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): KubernetesRequest | undefined {
  const named = kubernetesSecret ?? configMap;
  if (named === undefined) return undefined;
  const twice = keys?.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) {
    problems.add('CONFIG_DUPLICATE', file, [...path, 'keys'], `${JSON.stringify(twice)} is listed twice`);
    return undefined;
  }
  const slash = named.indexOf('/');
  return {
    kind: 'kubernetes-object',
    resource: kubernetesSecret === undefined ? 'configmaps' : 'secrets',
    object: named.slice(slash + 1),
    ...(slash === -1 ? {} : { namespace: named.slice(0, slash) }),
    // Sorted, since the order asks for nothing else.
    ...(keys === undefined ? {} : { keys: [...keys].sort() }),
  };
}
