import type { ProxyRequest } from './request.ts';

/** The namespace of a request, as the server will find it; empty is the root. */
export function namespaceOf({ headers }: Pick<ProxyRequest, 'headers'>, configured: string | undefined): string {
  return plainNamespace(headers['x-vault-namespace'] ?? configured ?? '');
}

/** A namespace without needless slashes, which OpenBao passes over; `root` is another name of the root. */
export function plainNamespace(written: string): string {
  const plain = written
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  return plain === 'root' ? '' : plain;
}

/** A path as it reads from the root, so that a namespace in a header and one in a path are the same. */
export function fullPath(namespace: string, path: string): string {
  return namespace === '' ? path : `${namespace}/${path}`;
}
