import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { InjectorDefaults } from '../../src/injector/settings.ts';
import type { Kubernetes, KubernetesObject } from '../servers/kubernetes.ts';
import { eventually } from '../system/agent.helpers.ts';
import { apply, createPod } from './cluster.helpers.ts';

export const POLICY_FILE = 'examples/kubernetes/admission-policy.yaml';

/** What `defaults` in the file says, as the injector's command line would. */
export const POLICY_DEFAULTS: InjectorDefaults = {
  image: 'pannier:0.1.0',
  audience: 'openbao',
  caConfigMap: 'bao-ca',
  address: 'https://openbao.security.svc:8200',
};

/** Policies and webhooks pass over this namespace, so a pod here is what the API server makes of it alone. */
export const ALONE = 'kube-public';

/** The objects of a file, as data. */
export const objectsOf = (file: string): readonly KubernetesObject[] =>
  (parseAllDocuments(readFileSync(file, 'utf8')) as { toJS(): KubernetesObject }[]).map((one) => one.toJS());

/** Applies the policies, and waits until the API server follows all of them. */
export async function installPolicies(server: Kubernetes): Promise<void> {
  for (const object of objectsOf(POLICY_FILE)) {
    const { status, body } = await apply(server, object);
    if (status >= 400) throw new Error(`${object.kind}: ${body.message}`);
  }
  await eventually(async () => {
    const good = await createPod(server, podWith(BY_MAP), { namespace: 'default', dryRun: true });
    const bad = await createPod(server, podWith({ inject: 'true' }), { namespace: 'default', dryRun: true });
    if (good.body.spec?.initContainers?.length !== 1 || bad.status !== 422)
      throw new Error('they are not followed yet');
  });
}

/** The annotations of a pod that the policy takes. */
export const BY_MAP: Readonly<Record<string, string>> = { inject: 'true', 'config-map': 'shop' };

/** A pod with annotations of Pannier, which are named without their prefix. */
export function podWith(own: Readonly<Record<string, string>>, spec: object = {}): KubernetesObject {
  const annotations = Object.fromEntries(Object.entries(own).map(([name, value]) => [`pannier.dev/${name}`, value]));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'shop-', annotations },
    spec: { containers: [{ name: 'app', image: 'shop:1' }], ...spec },
  };
}

/** What differs from one pod to the next: names, times, and the end of the name of the token's volume. */
export function essence({ metadata, spec }: KubernetesObject): KubernetesObject {
  const { annotations, labels, ownerReferences } = metadata;
  const text = JSON.stringify({ metadata: { annotations, labels, ownerReferences }, spec });
  return JSON.parse(text.replaceAll(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access'));
}

/** A pod that was stored, to be created once more. */
export function again({ metadata, spec }: KubernetesObject): KubernetesObject {
  const { annotations, labels, ownerReferences } = metadata;
  return { metadata: { generateName: 'again-', annotations, labels, ownerReferences }, spec };
}
