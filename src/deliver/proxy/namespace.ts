import type { Asked } from './asked.ts';

/** The namespace of a request, without slashes around it; empty is the root, which `root` names too. */
export function namespaceOf({ headers }: Asked, configured: string | undefined): string {
  const plain = (headers['x-vault-namespace'] ?? configured ?? '').replace(/^\/+|\/+$/g, '');
  return plain === 'root' ? '' : plain;
}

/** A path as it reads from the root, so that a namespace in a header and one in a path are the same. */
export function fullPath(namespace: string, path: string): string {
  return namespace === '' ? path : `${namespace}/${path}`;
}
