import { RUN_VOLUME, SECRETS_VOLUME } from '../../src/injector/pod/agent-containers.ts';
import type { Operation } from '../../src/injector/pod/patch.ts';
import { patchOf } from '../../src/injector/pod/patch-pod.ts';
import { type ConfigSource, completed, type Mode } from '../../src/injector/settings.ts';
import { celOf, hole, itemHole, memberHole, quoted } from './cel.ts';

/** A pod with one of each list, so that the injector's patch has each kind of operation. */
const SAMPLE = {
  metadata: { annotations: {} },
  spec: { volumes: [], initContainers: [], containers: [{ name: 'app', volumeMounts: [] }] },
};

/** What the injector adds to the sample, with holes where the policy's variables go. */
function operationsFor(mode: Mode): readonly Operation[] {
  const settings = completed(
    { image: hole('variables.image') },
    {
      sizeLimit: hole('variables.sizeLimit'),
      requests: { cpu: hole('variables.requestsCpu'), memory: hole('variables.requestsMemory') },
      limits: { cpu: memberHole('variables.limitsCpu'), memory: hole('variables.limitsMemory') },
      runAsUser: hole('variables.user'),
      runAsGroup: hole('variables.group'),
      audience: memberHole('variables.audience'),
      caConfigMap: itemHole('variables.caConfigMap'),
      tokenExpirySeconds: hole('variables.tokenSeconds'),
      startWithinSeconds: hole('variables.startSeconds'),
      env: { PANNIER_LOG_LEVEL: itemHole('variables.logLevel') },
    },
  );
  const source: ConfigSource = { kind: 'map', name: hole('variables.configMap') };
  const secrets = [{ name: SECRETS_VOLUME, path: hole('variables.path') }];
  return patchOf({ ...SAMPLE, settings, source, plan: { mode, config: {}, secrets, sharesProcesses: true } });
}

/** The expression of the whole patch of a pod. */
export function patchExpression(): string {
  const staying = operationsFor('sidecar');
  const ending = operationsFor('init');
  const rest = new Set(staying);
  const at = (path: string): readonly Operation[] => {
    const found = staying.filter((one) => one.path.startsWith(path));
    for (const one of found) rest.delete(one);
    return found;
  };
  const added = at('/metadata/annotations/').map((one) => operation(quoted(one.path), celOf(one.value, 'Object')));
  const volumes = at('/spec/volumes/-').map(({ value }) => {
    const volume = celOf(value, 'Object.spec.volumes', 4);
    const { name } = value as { readonly name: string };
    return name === RUN_VOLUME ? `?(variables.stays ? optional.of(${volume}) : optional.none())` : volume;
  });
  const mounts = at('/spec/containers/0/volumeMounts/-').map(({ value }) =>
    celOf(value, 'Object.spec.containers.volumeMounts', 4),
  );
  const [shares] = at('/spec/shareProcessNamespace');
  const [sidecar] = at('/spec/initContainers/0');
  const init = ending.find(({ path }) => path === '/spec/initContainers/0');
  if (rest.size > 0 || volumes.length === 0 || mounts.length !== 1 || !shares || !sidecar || !init) {
    throw new Error(
      'the patch of the injector is not what this file knows: write the new operation for the policy too',
    );
  }
  const [mount] = mounts as [string];
  const agent = ({ value }: Operation) => celOf(value, 'Object.spec.initContainers', 4);
  return [
    `[\n  ${added.join(',\n  ')}\n]`,
    emptyList('object.spec', 'volumes', `'/spec/volumes'`),
    `[\n    ${volumes.join(',\n    ')}\n  ].map(it, ${operation(`'/spec/volumes/-'`, 'it')})`,
    ...['initContainers', 'containers'].map((list) =>
      mountsOf(list, mount.replaceAll('spec.containers', `spec.${list}`)),
    ),
    `(variables.shares ? [${operation(quoted(shares.path), 'true')}] : [])`,
    emptyList('object.spec', 'initContainers', `'/spec/initContainers'`),
    `[${operation(
      `'/spec/initContainers/' + string(variables.place)`,
      `variables.stays\n  ? ${agent(sidecar)}\n  : ${agent(init)}`,
    )}]`,
  ].join(' +\n');
}

const operation = (path: string, value: string): string => `JSONPatch{op: 'add', path: ${path}, value: ${value}}`;

/** JSON patches can add to a list that is there only; an empty one is left out of a pod. */
const emptyList = (owner: string, list: string, path: string): string =>
  `(${owner}.?${list}.orValue([]).size() > 0 ? [] : [${operation(path, '[]')}])`;

/** The mount in each container that sees the files, behind those that the container has. */
function mountsOf(list: string, mount: string): string {
  const containers = `object.spec.?${list}.orValue([])`;
  const path = `'/spec/${list}/' + string(index) + '/volumeMounts`;
  const isBare = 'it.?volumeMounts.orValue([]).size() == 0';
  const sees = '!(it.name in variables.mesh)';
  return `${containers}.transformList(index, it, ${sees} && ${isBare},
  ${operation(`${path}'`, '[]')}) +
${containers}.transformList(index, it, ${sees},
  ${operation(`${path}/-'`, mount)})`;
}
