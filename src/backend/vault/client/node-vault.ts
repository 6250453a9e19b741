/**
 * The part of node-vault that Pannier uses (https://github.com/nodevault/node-vault). Its named calls are not used:
 * they HTML-escape paths, and its login calls store the token. `X` is passed through it to the requester unchanged.
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

/** A request as node-vault gives it to its requester. */
export interface NodeVaultRequest<X> extends NodeVaultOptions<X> {
  readonly method: string;
  /** Begins with `/v1/`, is encoded, and includes the query. */
  readonly path: string;
  readonly json?: unknown;
}

/** Sends a request. The call of `NodeVault` resolves or rejects with what the requester resolves or rejects with. */
export type Requester<X> = (request: NodeVaultRequest<X>) => Promise<unknown>;

/** node-vault builds a URL of this and the path; the requester removes it and sends to the configured server. */
const ENDPOINT = 'http://vault.invalid';

/**
 * Loads node-vault (8 ms with axios aliased to `axios-stub.cjs`, 73 ms with the real one), with `send` as its
 * requester.
 *
 * node-vault takes only 200 and 204 for success and drops headers. So the requester answers it with 200 and the whole
 * answer as the body, and throws its own errors, which node-vault passes on. node-vault reads VAULT_TOKEN,
 * VAULT_NAMESPACE and VAULT_PREFIX when it is created: these are emptied here, and each request carries its own.
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
    // The bundle leaves out the code that named calls need.
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
