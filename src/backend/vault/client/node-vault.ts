/**
 * The part of node-vault that we use (https://github.com/nodevault/node-vault). Its named calls are left alone: they
 * HTML-escape paths, and its login calls keep the token. `X` travels through it to the requester untouched.
 */
export interface NodeVault<X> {
  read(path: string, options: NodeVaultOptions<X>): Promise<unknown>;
  list(path: string, options: NodeVaultOptions<X>): Promise<unknown>;
  write(path: string, data: unknown, options: NodeVaultOptions<X>): Promise<unknown>;
  delete(path: string, options: NodeVaultOptions<X>): Promise<unknown>;
  request(options: NodeVaultOptions<X> & { path: string; method: string; json?: unknown }): Promise<unknown>;
}

export interface NodeVaultOptions<X> {
  readonly headers: Readonly<Record<string, string>>;
  readonly passed: X;
}

/** What node-vault hands to its requester. */
export interface NodeVaultRequest<X> extends NodeVaultOptions<X> {
  readonly method: string;
  /** From `/v1/` on, encoded, with its query. */
  readonly path: string;
  readonly json?: unknown;
}

/** Sends a request; what it resolves with is what the call of NodeVault resolves with, and so for errors. */
export type Requester<X> = (request: NodeVaultRequest<X>) => Promise<unknown>;

/** Stands before the path so that node-vault has a URL to build; where requests go is the requester's. */
const ENDPOINT = 'http://vault.invalid';

/**
 * Loads node-vault (8 ms with axios aliased to `axios-stub.cjs`, 73 ms with the real one) over our own requester.
 *
 * It takes only 200 and 204 for success and drops headers, so the requester answers it with 200 and our whole answer as
 * the body, and throws our own errors, which pass through it. It reads VAULT_TOKEN, VAULT_NAMESPACE and VAULT_PREFIX by
 * itself when it is made: these are emptied after, and travel with each request instead.
 */
export async function loadNodeVault<X>(send: Requester<X>): Promise<NodeVault<X>> {
  const { default: create } = (await import('node-vault')) as unknown as { default: (config: unknown) => Created<X> };
  const requester = async (request: NodeVaultRequest<X> & { uri: string }) => ({
    statusCode: 200,
    body: await send({ ...request, path: request.uri.slice(ENDPOINT.length) }),
    request: { path: '' },
  });
  const vault = create({
    endpoint: ENDPOINT,
    apiVersion: 'v1',
    debug: () => {},
    noCustomHTTPVerbs: true,
    // Of its named calls; the bundle leaves out what they need.
    commands: {},
    tv4: { validate: () => true },
    'request-promise': { defaults: () => requester },
  });
  vault.token = '';
  vault.namespace = '';
  vault.pathPrefix = '';
  return vault;
}

interface Created<X> extends NodeVault<X> {
  token: string;
  namespace: string;
  pathPrefix: string;
}
