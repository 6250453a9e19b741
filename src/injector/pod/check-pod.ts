import type { Decided, Plan } from '../plan.ts';
import type { PodSettings } from '../settings.ts';
import type { Wrong } from '../wrong.ts';
import { AGENT, INIT_AGENT } from './agent-containers.ts';
import { type JsonMap, listOf, mapOf, textOf } from './json.ts';
import { seeing } from './seeing.ts';
import { agentVolumes } from './volumes.ts';

/** Directories that an application has its own files in: a volume there would hide them. */
export const SYSTEM_DIRS =
  /^\/(?:bin|boot|dev|etc|home|lib|lib64|opt|proc|root|run|sbin|sys|tmp|usr|var|var\/run)?\/*$/;

/** What a pod must not be or have. */
export function checkPod(spec: JsonMap, settings: PodSettings, wrong: Wrong[]): void {
  const containers = [...listOf(spec['initContainers']), ...listOf(spec['containers'])];
  const isWindows =
    mapOf(spec['os'])['name'] === 'windows' || mapOf(spec['nodeSelector'])['kubernetes.io/os'] === 'windows';
  if (isWindows) wrong.push({ where: 'spec.os', seen: 'is windows: the agent runs on Linux' });
  for (const { name } of containers) {
    if (name === AGENT || name === INIT_AGENT) {
      wrong.push({
        where: `container ${name}`,
        seen: 'is in the pod already: rename it, or set pannier.dev/inject to "false"',
      });
    }
  }
  const names = new Set(containers.map(({ name }) => name));
  for (const name of settings.containers ?? []) {
    if (!names.has(name))
      wrong.push({ where: `container ${name}`, seen: 'is named in an annotation and is not in the pod' });
  }
  if (settings.copiesMountsOf !== undefined && !names.has(settings.copiesMountsOf)) {
    wrong.push({
      where: `container ${settings.copiesMountsOf}`,
      seen: 'is named in an annotation and is not in the pod',
    });
  }
}

/** Volumes of the pod that have a name of ours, and mounts at a place of ours. */
export function checkNames(
  spec: JsonMap,
  { settings, source, secrets, mode }: Pick<Decided, 'settings' | 'source'> & Pick<Plan, 'secrets' | 'mode'>,
  wrong: Wrong[],
): void {
  const taken = new Set(listOf(spec['volumes']).map(({ name }) => name));
  for (const { name } of agentVolumes(source, settings, { secrets, stays: mode !== 'init' })) {
    if (taken.has(name)) wrong.push({ where: `volume ${name}`, seen: 'is in the pod already: rename it' });
  }
  for (const container of seeing(spec, settings)) {
    for (const { mountPath } of listOf(container['volumeMounts'])) {
      const path = textOf(mountPath)?.replace(/\/+$/, '');
      if (secrets.some((one) => one.path === path)) {
        wrong.push({ where: `container ${container['name']}`, seen: `mounts another volume at ${path}` });
      }
    }
  }
}
