/** The namespace of a request, as the server will read it; empty is the root. */
export function namespaceOf(
  { headers }: { readonly headers: Readonly<Record<string, string>> },
  configured: string | undefined,
): string {
  return plainNamespace(headers['x-vault-namespace'] ?? configured ?? '');
}

/** A namespace without needless slashes, which OpenBao ignores; `root` is another name of the root. */
export function plainNamespace(written: string): string {
  const plain = written
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  return plain === 'root' ? '' : plain;
}

/** A path from the root namespace, so that it is the same whether a header or the path names the namespace. */
export function fullPath(namespace: string, path: string): string {
  return namespace === '' ? path : `${namespace}/${path}`;
}
