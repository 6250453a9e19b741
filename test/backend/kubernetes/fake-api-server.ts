import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the fake got it. */
export interface Got {
  readonly verb: 'get' | 'watch' | 'post';
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  readonly accept: string | undefined;
}

interface Stored {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly resourceVersion: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

interface Told {
  readonly number: number;
  readonly path: string;
  readonly line: string;
}

/** Answers a request in place of the fake, or returns false to leave it to the fake. */
export type Fault = (got: Got, response: ServerResponse) => boolean;

/**
 * The part of a Kubernetes API server that Pannier asks, over plain HTTP on 127.0.0.1: reads of one object, and watches
 * of one with metadata only. It keeps a history, so a watch resumes where it was, until `compact` forgets it. The tests
 * on a real server are in test/kubernetes.
 */
export class FakeApiServer implements AsyncDisposable {
  readonly #objects = new Map<string, Stored>();
  readonly #watches = new Map<ServerResponse, string>();
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #history: Told[] = [];
  #number = 100;
  #oldest = 0;
  #port = 0;
  /** Every request, in order. */
  got: Got[] = [];
  /** Tokens that are known; empty: every request is let in. */
  tokens: string[] = [];
  fault: Fault | undefined;
  /** How the bytes of an event are sent: each part is a chunk of its own. */
  cut: (line: Buffer) => readonly Buffer[] = (line) => [line];

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  count(verb: Got['verb']): number {
    return this.got.filter((one) => one.verb === verb).length;
  }

  /** On the same port as before, if there was one. */
  async start(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  putSecret(name: string, data: Readonly<Record<string, string | Uint8Array>>, namespace = 'shop'): string {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    return this.#put('Secret', `/api/v1/namespaces/${namespace}/secrets/${name}`, {
      data: Object.fromEntries(encoded),
    });
  }

  putConfigMap(
    name: string,
    data: Readonly<Record<string, string>>,
    binaryData: Readonly<Record<string, string>> = {},
  ): string {
    return this.#put('ConfigMap', `/api/v1/namespaces/shop/configmaps/${name}`, { data, binaryData });
  }

  /** A new version with the same data, as a new label makes one. */
  touch(name: string): void {
    const path = `/api/v1/namespaces/shop/secrets/${name}`;
    const { kind, resourceVersion: _, ...rest } = this.#objects.get(path) as Stored;
    this.#put(kind, path, rest);
  }

  remove(name: string): void {
    const path = `/api/v1/namespaces/shop/secrets/${name}`;
    const old = this.#objects.get(path);
    this.#objects.delete(path);
    if (old !== undefined) this.#tell('DELETED', path, { ...old, resourceVersion: String(++this.#number) });
  }

  /** Forgets what was before now: a watch that resumes before it gets 410. */
  compact(): void {
    this.#oldest = ++this.#number;
    this.#history = [];
  }

  bookmark(): void {
    const resourceVersion = String(++this.#number);
    for (const watch of this.#watches.keys()) this.send(watch, eventLine('BOOKMARK', 'Secret', { resourceVersion }));
  }

  /** Sends a line to every watch that is open. */
  sendLine(line: string): void {
    for (const watch of this.#watches.keys()) this.send(watch, line);
  }

  send(watch: ServerResponse, line: string): void {
    for (const part of this.cut(Buffer.from(`${line}\n`))) watch.write(part);
  }

  /** Ends every watch: as the server does in its time, or by a broken connection. */
  endWatches(how: 'end' | 'destroy' = 'end'): void {
    for (const watch of this.#watches.keys()) {
      if (how === 'end') watch.end();
      else watch.destroy();
    }
  }

  #put(kind: Stored['kind'], path: string, data: Pick<Stored, 'data' | 'binaryData'>): string {
    const type = this.#objects.has(path) ? 'MODIFIED' : 'ADDED';
    const stored = { kind, resourceVersion: String(++this.#number), ...data };
    this.#objects.set(path, stored);
    this.#tell(type, path, stored);
    return stored.resourceVersion;
  }

  #tell(type: string, path: string, { kind, resourceVersion }: Stored): void {
    const line = eventLine(type, kind, { name: path.split('/').at(-1), resourceVersion });
    this.#history.push({ number: this.#number, path, line });
    for (const [watch, watched] of this.#watches) if (watched === path) this.send(watch, line);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', this.address);
    const { authorization, accept } = request.headers;
    const token = authorization?.replace(/^Bearer /, '');
    const verb = request.method === 'POST' ? 'post' : query.get('watch') === 'true' ? 'watch' : 'get';
    const got: Got = { verb, path, query, token, accept };
    this.got.push(got);
    if (this.fault?.(got, response) === true) return;
    if (this.tokens.length > 0 && !this.tokens.includes(token ?? '')) {
      refuseWith(response, 401, 'Unauthorized', 'Unauthorized');
      return;
    }
    if (verb === 'watch') {
      this.#watch(path, query, response);
      return;
    }
    const found = this.#objects.get(path);
    const name = path.split('/').at(-1);
    if (found === undefined) {
      refuseWith(response, 404, 'NotFound', `"${name}" not found`);
      return;
    }
    const { kind, resourceVersion, ...data } = found;
    answerWith(response, 200, { kind, apiVersion: 'v1', metadata: { name, resourceVersion }, ...data });
  }

  #watch(path: string, query: URLSearchParams, response: ServerResponse): void {
    const from = query.get('resourceVersion');
    const name = query.get('fieldSelector')?.replace('metadata.name=', '');
    const watched = `${path}/${name}`;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (from !== null && Number(from) < this.#oldest) {
      const status = {
        kind: 'Status',
        status: 'Failure',
        message: 'too old resource version',
        reason: 'Expired',
        code: 410,
      };
      response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
      return;
    }
    this.#watches.set(response, watched);
    response.once('close', () => this.#watches.delete(response));
    if (from !== null) {
      for (const { number, path: of, line } of this.#history) {
        if (of === watched && number > Number(from)) this.send(response, line);
      }
      return;
    }
    const found = this.#objects.get(watched);
    if (found === undefined) return;
    this.send(response, eventLine('ADDED', found.kind, { name, resourceVersion: found.resourceVersion }));
  }
}

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const server = new FakeApiServer();
  await server.start();
  return server;
}

/** An event with an annotation that is no ASCII, as some have. */
export function eventLine(type: string, of: string, metadata: object): string {
  const annotations = { 'example.com/note': 'grüße 🔑', 'example.com/of': of };
  const object = {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { annotations, ...metadata },
  };
  return JSON.stringify({ type, object });
}

/** A refusal as the API server makes it. */
export function refuseWith(response: ServerResponse, code: number, reason: string, message: string): void {
  answerWith(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code });
}

/** The refusal of the authorizer. */
export function forbid({ verb, path }: Got, response: ServerResponse): true {
  const [, , , , namespace, resource, name = ''] = path.split('/');
  const who = 'system:serviceaccount:shop:default';
  const what = `${resource} "${name}" is forbidden: User "${who}" cannot ${verb} resource "${resource}"`;
  refuseWith(response, 403, 'Forbidden', `${what} in API group "" in the namespace "${namespace}"`);
  return true;
}

function answerWith(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
