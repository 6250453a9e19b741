import type { Policy, PolicyRule, PolicyUse } from '../policy.ts';
import type { KubernetesBackendConfig, KubernetesRequest, Resource } from './config/config.ts';

/** What one namespace needs: the objects of one kind, and who asks for them. */
interface Need {
  readonly resource: Resource;
  readonly objects: Map<string, string[]>;
}

const RESOURCES = ['secrets', 'configmaps'] as const;
const VERBS = ['get', 'watch'] as const;

/** The Roles of one backend, one for each namespace, and the bindings for the service account of the agent. */
export async function policiesFor({ config, secrets }: PolicyUse<KubernetesBackendConfig>): Promise<readonly Policy[]> {
  const byNamespace = new Map<string, Need[]>();
  for (const { place, request } of secrets) {
    const { resource, object, namespace = config.namespace ?? '' } = request as KubernetesRequest;
    const needs = byNamespace.get(namespace) ?? RESOURCES.map((one) => ({ resource: one, objects: new Map() }));
    byNamespace.set(namespace, needs);
    const { objects } = needs.find((need) => need.resource === resource) as Need;
    objects.set(object, [...(objects.get(object) ?? []), place]);
  }
  return [...byNamespace].map(([namespace, needs]) => make(config, namespace, needs));
}

function make({ name }: KubernetesBackendConfig, namespace: string, needs: readonly Need[]): Policy {
  const used = needs.filter(({ objects }) => objects.size > 0);
  const rules = used.map(
    ({ resource, objects }): PolicyRule => ({
      on: [...objects.keys()].sort().map((one) => `${resource}/${one}`),
      allows: VERBS,
      why: [...objects.values()].flat(),
    }),
  );
  const where = namespace === '' ? [] : [`  namespace: ${namespace}`];
  const text = [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: Role',
    'metadata:',
    '  name: pannier',
    ...where,
    'rules:',
    ...used.flatMap(({ resource, objects }) => [
      '  - apiGroups: [""]',
      `    resources: [${resource}]`,
      `    resourceNames: [${[...objects.keys()].sort().map(quoted).join(', ')}]`,
      `    verbs: [${VERBS.join(', ')}]`,
    ]),
    '---',
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: RoleBinding',
    'metadata:',
    '  name: pannier',
    ...where,
    'roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: pannier }',
    'subjects:',
    '  - { kind: ServiceAccount, name: SERVICE_ACCOUNT, namespace: NAMESPACE_OF_THE_POD }',
  ];
  const notes = [
    'subjects has SERVICE_ACCOUNT and NAMESPACE_OF_THE_POD: write those of the pod that the agent runs in',
    ...(namespace === ''
      ? ['no namespace is configured: apply it in the namespace of the pod, or of the context']
      : []),
    'with get alone the objects are polled at refresh',
  ];
  const who = `the service account in ${namespace === '' ? 'its own namespace' : `the namespace ${namespace}`}`;
  return { kind: 'rbac', backend: name, who, text: `${text.join('\n')}\n`, rules, notes };
}

/** A name such as `1e3` or `true` is a number or a boolean to YAML. */
const quoted = (name: string): string => (/^[a-z][a-z0-9.-]*$/.test(name) && !WORDS.has(name) ? name : `"${name}"`);
const WORDS = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n']);
