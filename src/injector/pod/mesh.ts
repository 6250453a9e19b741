import { listOf, textOf } from './json.ts';

/** The containers of Istio and Linkerd, by their names. */
export const MESH: ReadonlySet<string> = new Set([
  'istio-init',
  'istio-validation',
  'istio-proxy',
  'linkerd-init',
  'linkerd-network-validator',
  'linkerd-proxy',
]);

/** Their proxies: while one runs, requests leave the pod. */
export const PROXIES: ReadonlySet<string> = new Set(['istio-proxy', 'linkerd-proxy']);

export const isOfMesh = (name: unknown): boolean => MESH.has(textOf(name) ?? '');

/**
 * Where the agent stands among the init containers. A proxy that is a native sidecar runs from its place on, and the
 * agent reaches its backend through it: the default is behind the mesh. A proxy that is a plain container does not run
 * yet while init containers do, and `istio-init` would send their requests to it: the default is in front of all.
 */
export function placeAmong(initContainers: unknown, order: 'before' | 'after' | undefined): number {
  const list = listOf(initContainers);
  if (order === 'before') return 0;
  const hasNativeProxy = list.some(
    ({ name, restartPolicy }) => PROXIES.has(String(name)) && restartPolicy === 'Always',
  );
  return order === 'after' || hasNativeProxy ? list.findLastIndex(({ name }) => isOfMesh(name)) + 1 : 0;
}
