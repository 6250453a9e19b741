/** One request to OpenBao, as the test itself sends it: a fresh connection each, nothing kept alive, no retries. */
import { request } from 'node:http';

/** An answer of OpenBao; parts that it leaves out or sends as null are undefined or null here too. */
export interface Answer<Data = Record<string, unknown>> {
  readonly lease_id: string;
  /** Seconds. */
  readonly lease_duration: number;
  readonly renewable: boolean;
  readonly data: Data;
  readonly auth: {
    readonly client_token: string;
    readonly accessor: string;
    /** Seconds. */
    readonly lease_duration: number;
    readonly renewable: boolean;
    readonly policies: readonly string[];
    readonly metadata: Readonly<Record<string, string>> | null;
  };
  readonly wrap_info: { readonly token: string; readonly accessor: string };
  readonly warnings: readonly string[] | null;
}

/** How a request is sent. */
export interface Caller {
  readonly token?: string;
  readonly namespace?: string;
  /** A Vault duration (`60s`): answer with a wrapping token instead. */
  readonly wrapTtl?: string;
}

/** An answer of 400 or above. */
export class OpenBaoError extends Error {
  readonly status: number;
  readonly errors: readonly string[];

  constructor(where: string, status: number, errors: readonly string[]) {
    super(`${where}: ${status} ${errors.join('; ')}`);
    this.status = status;
    this.errors = errors;
  }
}

export interface OpenBaoRequest extends Caller {
  readonly method: string;
  /** Without `/v1/`; may carry a query. */
  readonly path: string;
  readonly body?: unknown;
}

/**
 * Resolves to the parsed answer (an empty object for 204). Rejects with `OpenBaoError` on a status of 400 or above,
 * with the socket's error when the connection fails, and after 15 s in any case.
 */
export function requestOpenBao<Data>(address: string, asked: OpenBaoRequest): Promise<Answer<Data>> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer<Data>>();
  const where = `${asked.method} ${asked.path}`;
  const outgoing = request(
    `${address}/v1/${asked.path}`,
    { method: asked.method, headers: headersOf(asked), agent: false, signal: AbortSignal.timeout(15_000) },
    (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const body = parse(Buffer.concat(chunks).toString());
        const status = incoming.statusCode ?? 0;
        if (status < 400) return resolve(body as Answer<Data>);
        reject(new OpenBaoError(where, status, (body as { errors?: string[] }).errors ?? []));
      });
    },
  );
  outgoing.once('error', reject);
  outgoing.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  return promise;
}

function headersOf({ token, namespace, wrapTtl }: Caller): Record<string, string> {
  return {
    'X-Vault-Request': 'true',
    'Content-Type': 'application/json',
    ...(token && { 'X-Vault-Token': token }),
    ...(namespace && { 'X-Vault-Namespace': namespace }),
    ...(wrapTtl && { 'X-Vault-Wrap-TTL': wrapTtl }),
  };
}

function parse(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return { errors: [text.slice(0, 200)] };
  }
}
