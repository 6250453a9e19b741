/**
 * What a request to a backend does, as one of a few words: a label of a metric. A path is never one, since it may be
 * private or computed, and there may be any number of them.
 * @param call `GET secret/data/app` of Vault, or `secretsmanager GetSecretValue`: service and operation.
 */
export function operationOf(call: string): string {
  const [method = '', path = ''] = call.split(' ', 2);
  if (/^[a-z]+$/.test(method)) return OPERATION.test(path) ? path : 'other';
  const plain = path.replace(/^\/+/, '');
  return KNOWN.find(([start]) => start.test(plain))?.[1] ?? BY_METHOD[method] ?? 'other';
}

/** The API of Vault, by what its paths begin with. */
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
};

/** An API that has operations has a fixed number of them. */
const OPERATION = /^[A-Z][A-Za-z]{2,39}$/;
