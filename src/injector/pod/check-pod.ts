import type { Decided, Plan } from '../plan.ts';
import { CONFIG_DIR, type PodSettings, RUN_DIR } from '../settings.ts';
import type { Wrong } from '../wrong.ts';
import { AGENT, INIT_AGENT } from './agent-containers.ts';
import { type JsonMap, listOf, mapOf, textOf } from './json.ts';
import { mountPathOf } from './mount-path.ts';
import { seeing } from './seeing.ts';
import { agentVolumes } from './volumes.ts';

/**
 * Directories that an application has its own files in, or the kubelet the token of the service account: a volume there
 * would hide them. `/var/run` is `/run` in most images.
 */
export const SYSTEM_DIRS =
  /^\/(?:bin|boot|dev|etc|home(?:\/[^/]+)?|lib|lib64|opt|proc|root|sbin|sys|tmp|usr(?:\/(?:bin|lib|lib64|libexec|local|sbin|share))?|var(?:\/(?:cache|lib|log|spool|tmp))?|(?:var\/)?run(?:\/secrets(?:\/kubernetes\.io(?:\/.*)?)?)?)?\/*$/;

/** The most containers of a pod that is looked at, and the most mounts and variables that are added to them. */
export const MAX_CONTAINERS = 500;
const MAX_ADDED = 5000;

/**
 * Looks at the number of containers before anything else: the API server asks before it checks the pod, so a pod of
 * 3 MiB may have fifty thousand.
 */
export function checkCount(spec: JsonMap, wrong: Wrong[]): void {
  const count = listOf(spec['initContainers']).length + listOf(spec['containers']).length;
  if (count <= MAX_CONTAINERS) return;
  wrong.push({ where: 'spec.containers', seen: `are ${count}, of at most ${MAX_CONTAINERS} for an injected pod` });
}

/** Looks at how much is added: each directory of an output to each container that sees it, and each variable. */
export function checkAdded(spec: JsonMap, settings: PodSettings, dirs: number, wrong: Wrong[]): boolean {
  const count = seeing(spec, settings).length * (dirs + settings.variables.length);
  if (count <= MAX_ADDED) return true;
  const seen = `would get ${count} mounts and variables, of at most ${MAX_ADDED}: use fewer outputs, or name containers`;
  wrong.push({ where: 'spec.containers', seen });
  return false;
}

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
  for (const { name, ports } of containers) {
    const isTaken = listOf(ports).some(
      ({ containerPort: port }) => port !== undefined && port === settings.metricsPort,
    );
    if (isTaken)
      wrong.push({ where: `container ${name}`, seen: 'has the port of the annotation metrics-port already' });
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
  const places = new Set(secrets.map(({ path }) => path));
  for (const container of seeing(spec, settings)) {
    for (const { mountPath } of listOf(container['volumeMounts'])) {
      const path = mountPathOf(textOf(mountPath) ?? '');
      if (places.has(path)) {
        wrong.push({ where: `container ${container['name']}`, seen: `mounts another volume at ${path}` });
      }
    }
  }
  checkCopied(spec, settings, wrong);
}

/** Directories of the agent's own, where no other volume can be. */
export const OWN_DIRS = [CONFIG_DIR, RUN_DIR, `/var${RUN_DIR}`];

/** Mounts that cannot be copied to the agent, since it has something else there. */
function checkCopied(spec: JsonMap, { copiesMountsOf, extraMounts }: PodSettings, wrong: Wrong[]): void {
  if (copiesMountsOf === undefined) return;
  const all = [...listOf(spec['containers']), ...listOf(spec['initContainers'])];
  const taken = new Set([...OWN_DIRS, ...extraMounts.map(({ path }) => path)]);
  for (const { mountPath } of listOf(all.find(({ name }) => name === copiesMountsOf)?.['volumeMounts'])) {
    const path = mountPathOf(textOf(mountPath) ?? '');
    if (!taken.has(path)) continue;
    wrong.push({ where: `container ${copiesMountsOf}`, seen: `mounts a volume at ${path}, which the agent has too` });
  }
}

/** What is wrong with the directories of the outputs, each of which becomes a volume. */
export function checkDirs(dirs: readonly string[], wrong: Wrong[]): void {
  for (const [index, dir] of dirs.entries()) {
    const where = `output in ${dir}`;
    const isOwn = OWN_DIRS.some((own) => dir === own || dir.startsWith(`${own}/`));
    if (SYSTEM_DIRS.test(dir)) {
      wrong.push({ where, seen: 'would hide files of the application: use a directory of its own' });
    } else if (dir.includes(':')) wrong.push({ where, seen: 'has a colon, which no mount can have' });
    else if (isOwn) wrong.push({ where, seen: 'is in a directory of the agent: use another one' });
    if (dirs.indexOf(dir) !== index) wrong.push({ where, seen: 'is named twice' });
  }
}
