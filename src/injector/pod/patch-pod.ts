import { EFFECTIVE_CONFIG, PREFIX, STATUS } from '../annotations/known.ts';
import { VAULT_PREFIXES } from '../annotations/read-vault.ts';
import type { Decided, Plan } from '../plan.ts';
import type { PodSettings } from '../settings.ts';
import { agentContainers, type SecretsVolume } from './agent-containers.ts';
import { isMap, type JsonMap, listOf, mapOf, textOf } from './json.ts';
import { placeAmong } from './mesh.ts';
import { mountPathOf } from './mount-path.ts';
import { type Operation, PatchBuilder } from './patch.ts';
import { seeing, sees } from './seeing.ts';
import { usersOf } from './users.ts';
import { agentVolumes } from './volumes.ts';

/** The operations that add what is planned. */
export function patchOf({
  metadata,
  spec,
  settings,
  source,
  plan,
}: Decided & { readonly plan: Plan }): readonly Operation[] {
  const patch = new PatchBuilder();
  const { mode, config, secrets, sharesProcesses } = plan;
  const written = {
    [`${PREFIX}${STATUS}`]: 'injected',
    // The other injector passes over a pod that has this.
    [`${VAULT_PREFIXES[0]}agent-inject-status`]: 'injected',
    ...(config.text === undefined ? {} : { [`${PREFIX}${EFFECTIVE_CONFIG}`]: config.text }),
  };
  patch.addMembers(['metadata', 'annotations'], metadata['annotations'], written);
  const stays = mode !== 'init';
  patch.append(['spec', 'volumes'], spec['volumes'], agentVolumes(source, settings, { secrets, stays }));
  for (const list of ['initContainers', 'containers']) {
    listOf(spec[list]).forEach((container, index) => {
      if (!sees(container, settings)) return;
      const path = ['spec', list, index] as const;
      const mounts = secrets.map(({ name, path: mountPath }) => ({ name, mountPath, readOnly: true }));
      patch.append([...path, 'volumeMounts'], container['volumeMounts'], mounts);
      if (list === 'containers') patch.append([...path, 'env'], container['env'], variablesOf(settings, secrets));
    });
  }
  if (sharesProcesses && spec['hostPID'] !== true && spec['shareProcessNamespace'] !== true) {
    patch.add(['spec', 'shareProcessNamespace'], true);
  }
  const users = usersOf(spec, seeing(spec, settings), settings);
  const copiedMounts = copiedFrom(spec, settings, secrets);
  const { first, beside } = agentContainers(mode, { settings, users, secrets, copiedMounts, health: config.health });
  const { initContainers } = spec;
  patch.insert(['spec', 'initContainers'], initContainers, placeAmong(initContainers, settings.order), first);
  if (beside !== undefined) patch.append(['spec', 'containers'], spec['containers'], [beside]);
  return patch.operations;
}

/** Variables that the kubelet reads from a file of the first output; the container need not mount it. */
function variablesOf({ variables, envFile }: PodSettings, [first]: readonly SecretsVolume[]): readonly JsonMap[] {
  if (first === undefined || envFile === undefined) return [];
  return variables.map(({ name, key }) => ({
    name,
    valueFrom: { fileKeyRef: { volumeName: first.name, path: envFile, key } },
  }));
}

/** The mounts of a container that are copied to the agent, without the token of its service account and our own. */
function copiedFrom(
  spec: JsonMap,
  { copiesMountsOf }: PodSettings,
  secrets: readonly SecretsVolume[],
): readonly unknown[] {
  if (copiesMountsOf === undefined) return [];
  const all = [...listOf(spec['containers']), ...listOf(spec['initContainers'])];
  const mounts = all.find(({ name }) => name === copiesMountsOf)?.['volumeMounts'];
  return (Array.isArray(mounts) ? mounts : []).filter((mount) => {
    const { mountPath } = mapOf(mount);
    const at = mountPathOf(textOf(mountPath) ?? '');
    const isToken = at === '/var/run/secrets/kubernetes.io/serviceaccount';
    return isMap(mount) && !isToken && !secrets.some(({ path }) => path === at);
  });
}
