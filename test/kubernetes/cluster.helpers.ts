import { afterAll, beforeAll } from 'vitest';
import {
  type Kubernetes,
  type KubernetesAnswer,
  type KubernetesObject,
  type KubernetesOptions,
  noKubernetes,
  startKubernetes,
} from '../servers/kubernetes.ts';

/** The title of tests on a real API server; it says how to run them where they are skipped. */
export const onKubernetes = (title: string): string =>
  noKubernetes === undefined ? title : `${title}: skipped (${noKubernetes})`;

/** Starts one server for all tests of a file. To be called outside of tests; the returned function is for tests. */
export function useKubernetes(options?: KubernetesOptions): () => Kubernetes {
  let server: Kubernetes | undefined;
  beforeAll(async () => {
    if (noKubernetes === undefined) server = await startKubernetes(options);
  });
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('the API server starts with the first test');
    return server;
  };
}

/** Labels of a namespace whose pods must keep the standard "restricted", and are warned of otherwise. */
export const RESTRICTED = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
};

const CLUSTER_WIDE = new Set([
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'PriorityClass',
]);

/** The path of an object; `namespace` is for one that names none. */
export function pathOf({ apiVersion, kind, metadata }: KubernetesObject, namespace: string): string {
  const plural = String(kind).toLowerCase().replace(/y$/, 'ie').replace(/ss$/, 'sse');
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const within = CLUSTER_WIDE.has(kind) ? '' : `/namespaces/${metadata.namespace ?? namespace}`;
  return `${root}${within}/${plural}s/${metadata.name}`;
}

/** Applies an object as `kubectl apply --server-side` does; unknown and double keys are errors. */
export function apply(
  server: Kubernetes,
  object: KubernetesObject,
  { namespace = 'default', dryRun = false }: { readonly namespace?: string; readonly dryRun?: boolean } = {},
): Promise<KubernetesAnswer> {
  const query = `fieldManager=test&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
  const contentType = 'application/apply-patch+yaml';
  return server.ask('PATCH', `${pathOf(object, namespace)}?${query}`, object, { contentType });
}

export interface CreateOptions {
  readonly namespace: string;
  readonly dryRun?: boolean;
}

/** Creates a pod, as a controller does. */
export function createPod(
  server: Kubernetes,
  pod: KubernetesObject,
  { namespace, dryRun = false }: CreateOptions,
): Promise<KubernetesAnswer> {
  return server.ask('POST', `/api/v1/namespaces/${namespace}/pods${dryRun ? '?dryRun=All' : ''}`, pod);
}
