import { EFFECTIVE_CONFIG, PREFIX } from '../annotations/known.ts';
import type { ConfigSource, PodSettings } from '../settings.ts';
import { CONFIG_VOLUME, RUN_VOLUME, type SecretsVolume } from './agent-containers.ts';
import type { JsonMap } from './json.ts';

/**
 * The volumes that the agent needs. The configuration lies in an annotation of the pod, which the kubelet writes into a
 * file: there is no ConfigMap to make and to remove, and `kubectl describe` shows what the agent reads.
 */
export function agentVolumes(
  source: ConfigSource,
  settings: PodSettings,
  { secrets, stays }: { readonly secrets: readonly SecretsVolume[]; readonly stays: boolean },
): readonly JsonMap[] {
  const inMemory = (name: string, sizeLimit: string) => ({ name, emptyDir: { medium: 'Memory', sizeLimit } });
  return [
    ...secrets.map(({ name }) => inMemory(name, settings.sizeLimit)),
    { name: CONFIG_VOLUME, projected: { sources: projected(source, settings) } },
    ...(stays ? [inMemory(RUN_VOLUME, '1Mi')] : []),
    ...settings.extraMounts.flatMap(({ volume, secretName }) =>
      secretName === undefined ? [] : [{ name: volume, secret: { secretName } }],
    ),
  ];
}

function projected(
  source: ConfigSource,
  { audience, tokenExpirySeconds, caConfigMap }: PodSettings,
): readonly JsonMap[] {
  const fieldPath = `metadata.annotations['${PREFIX}${EFFECTIVE_CONFIG}']`;
  return [
    source.kind === 'map'
      ? { configMap: { name: source.name } }
      : { downwardAPI: { items: [{ path: 'pannier.yaml', fieldRef: { fieldPath } }] } },
    {
      serviceAccountToken: {
        path: 'token',
        expirationSeconds: tokenExpirySeconds,
        ...(audience === undefined ? {} : { audience }),
      },
    },
    ...(caConfigMap === undefined
      ? []
      : [{ configMap: { name: caConfigMap, items: [{ key: 'ca.crt', path: 'ca.crt' }] } }]),
  ];
}
