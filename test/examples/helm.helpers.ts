/** Renders the chart of the injector with helm, and asks Pod Security about its pods. */
import { parseAllDocuments } from 'yaml';
import { runHelm } from '../servers/helm.ts';
import { CHART, OLDEST } from './rendered.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of Kubernetes are taken apart freely
export type KubernetesObject = any;

export interface Rendering {
  readonly text: string;
  readonly objects: readonly KubernetesObject[];
  /** What helm says when it does not render; empty: it rendered. */
  readonly error: string;
  of(kind: string): KubernetesObject;
}

export interface RenderOptions {
  readonly release?: string;
  readonly namespace?: string;
  /** Files with values. */
  readonly values?: readonly string[];
  /** `KEY=VALUE` as for `--set-json`. */
  readonly set?: readonly string[];
}

export async function render(helm: string, options: RenderOptions = {}): Promise<Rendering> {
  const { release = 'pannier', namespace = 'pannier', values = [], set = [] } = options;
  const given = [...values.flatMap((file) => ['--values', file]), ...set.flatMap((one) => ['--set-json', one])];
  const args = ['template', release, CHART, '--namespace', namespace, '--kube-version', OLDEST, ...given];
  const { status, out, error } = await runHelm(helm, args);
  const objects = parseAllDocuments(status === 0 ? out : '').flatMap((document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0];
    const object = document.toJS();
    return object === null ? [] : [object];
  });
  return {
    text: out,
    objects,
    error: status === 0 ? '' : error,
    of: (kind) => objects.find((one) => one.kind === kind),
  };
}

/** Kinds of other projects, whose schemas Kubernetes does not publish. */
export const isOfKubernetes = ({ apiVersion }: KubernetesObject): boolean =>
  !/^(?:cert-manager\.io|monitoring\.coreos\.com)\//.test(apiVersion);

/** What the standard *restricted* forbids of a pod (kubernetes.io/docs/concepts/security/pod-security-standards). */
export function restrictedProblems(spec: KubernetesObject): readonly string[] {
  const problems: string[] = [];
  const need = (holds: boolean, problem: string) => void (holds || problems.push(problem));
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) need(spec[key] !== true, key);
  const inMemory = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected'];
  for (const { name, ...source } of spec.volumes ?? []) {
    need([...inMemory, 'secret'].includes(Object.keys(source)[0] ?? ''), `volume ${name}`);
  }
  for (const { name, securityContext = {}, ports = [] } of [...(spec.initContainers ?? []), ...spec.containers]) {
    const both = { ...spec.securityContext, ...securityContext };
    need(both.runAsNonRoot === true, `${name} runAsNonRoot`);
    need(both.runAsUser !== 0, `${name} runAsUser`);
    need(['RuntimeDefault', 'Localhost'].includes(both.seccompProfile?.type), `${name} seccompProfile`);
    need(both.allowPrivilegeEscalation === false, `${name} allowPrivilegeEscalation`);
    need(both.privileged !== true, `${name} privileged`);
    need(both.capabilities?.drop?.includes('ALL'), `${name} capabilities`);
    need(
      (both.capabilities?.add ?? []).every((one: string) => one === 'NET_BIND_SERVICE'),
      `${name} capabilities.add`,
    );
    need(
      ports.every(({ hostPort }: KubernetesObject) => hostPort === undefined),
      `${name} hostPort`,
    );
  }
  return problems;
}
