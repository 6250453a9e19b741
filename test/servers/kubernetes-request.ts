/** One request to the API server of Kubernetes, as the test itself sends it. */
import { Agent, request } from 'node:https';

/** Who asks: the holder of a certificate, or of a service account's token. */
export type KubernetesCaller = { readonly cert: string; readonly key: string } | { readonly token: string };

// biome-ignore lint/suspicious/noExplicitAny: objects of Kubernetes are taken apart freely by tests
export type KubernetesObject = any;

export interface KubernetesAnswer {
  readonly status: number;
  readonly body: KubernetesObject;
  /** What the server warns of, as `kubectl` prints it. */
  readonly warnings: readonly string[];
}

/** An answer of 400 or above. Its message is the one of the API server. */
export class KubernetesError extends Error {
  readonly answer: KubernetesAnswer;

  constructor(where: string, answer: KubernetesAnswer) {
    super(`${where}: ${answer.status} ${answer.body?.message ?? ''}`);
    this.answer = answer;
  }
}

export interface KubernetesRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** `application/json` when absent. A patch says which it is. */
  readonly contentType?: string;
}

/** Resolves to any answer. Rejects with the socket's error when the connection fails, and after 30 s in any case. */
export function requestKubernetes(
  { address, ca, caller }: { readonly address: string; readonly ca: string; readonly caller: KubernetesCaller },
  { method, path, body, contentType = 'application/json' }: KubernetesRequest,
): Promise<KubernetesAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<KubernetesAnswer>();
  const isToken = 'token' in caller;
  const agent = new Agent({ ca, ...(isToken ? {} : caller) });
  const headers = {
    accept: 'application/json',
    ...(isToken ? { authorization: `Bearer ${caller.token}` } : {}),
    ...(body === undefined ? {} : { 'content-type': contentType }),
  };
  const signal = AbortSignal.timeout(30_000);
  const outgoing = request(`${address}${path}`, { method, agent, headers, signal }, (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('error', reject);
    incoming.once('end', () => {
      const text = Buffer.concat(chunks).toString();
      const isJson = incoming.headers['content-type']?.startsWith('application/json') === true;
      const warnings = warningsIn(incoming.headers['warning']);
      resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(text) : text, warnings });
    });
  });
  outgoing.once('error', reject);
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  return promise.finally(() => agent.destroy());
}

/** The texts of a header `Warning: 299 - "…", 299 - "…"` (RFC 7234, 5.5), which the server sends in UTF-8. */
function warningsIn(header: string | undefined): readonly string[] {
  const text8 = header === undefined ? undefined : Buffer.from(header, 'latin1').toString();
  const all = text8?.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g) ?? [];
  return [...all].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));
}
