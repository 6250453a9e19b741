/**
 * The operation of a request to a backend, as one of a few words, for the label of a metric. A path is never a label:
 * it may be private or computed, and the number of paths has no bound.
 * @param call method and path for Vault and Kubernetes, `GET secret/data/app`; service and operation for AWS,
 * `secretsmanager GetSecretValue`.
 */
export function operationOf(call: string): string {
  const [method = '', path = ''] = call.split(' ', 2);
  if (/^[a-z]+$/.test(method)) return OPERATION.test(path) ? path : 'other';
  const plain = path.replace(/^\/+/, '');
  return KNOWN.find(([start]) => start.test(plain))?.[1] ?? BY_METHOD[method] ?? 'other';
}

/** Operations of Vault's API by the beginning of the path. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/^auth\/token\/lookup-self$/, 'look-up-login'],
  [/^auth\/token\/renew-self$/, 'renew-login'],
  [/^auth\/token\/revoke-self$/, 'revoke-login'],
  [/^auth\/.+\/login(\/[^/]+)?$/, 'login'],
  [/^sys\/internal\/ui\/mounts\//, 'look-up-mount'],
  [/^sys\/leases\/renew$/, 'renew-lease'],
  [/^sys\/leases\/revoke$/, 'revoke-lease'],
  [/^sys\/wrapping\//, 'unwrap'],
];

const BY_METHOD: Readonly<Record<string, string>> = {
  GET: 'read',
  LIST: 'list',
  POST: 'write',
  PUT: 'write',
  DELETE: 'delete',
  WATCH: 'watch',
};

/** A name of an operation. An API that names its operations has a fixed number of them. */
const OPERATION = /^[A-Z][A-Za-z]{2,39}$/;
