import type { IncomingMessage } from 'node:http';
import { asFailure, fail, PannierError } from '../../../base/errors.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { CallCancellation } from '../../../http/call-cancellation.ts';
import type { CircuitView } from '../../../http/circuit.ts';
import type { ForwardedAnswer } from '../../../http/forwarder.ts';
import { PlainAnswer } from '../../../http/plain-answer.ts';
import type { Protection } from '../../../http/transport.ts';
import type { BackendContext } from '../../context.ts';
import type { Access, Connection } from '../access/access.ts';
import type { KubernetesBackendConfig } from '../config/config.ts';
import { type ObjectRef, pathOf, watchPathOf } from './object-ref.ts';
import { Peers } from './peers.ts';
import { refusalOf } from './refusal.ts';

export interface KubeClientOptions {
  readonly config: KubernetesBackendConfig;
  readonly access: Access;
  readonly context: BackendContext;
  /** Absent: nothing protects the server but the number of requests at once. */
  readonly protection?: Protection | undefined;
}

/** An answer of the API server, whatever its status. */
export interface KubeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** The answer to a watch: a stream of events while its status is 200, and a short body otherwise. */
export interface WatchAnswer {
  readonly status: number;
  /** Ends with an error when the connection breaks. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Ends the stream and its connection. */
  close(): void;
}

/** A watch carries what names a version, and no value: those come with a read of the object. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

/** The longest body of a refused watch that is read. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/**
 * Speaks to the API server of one cluster. Each request looks up the credential as it is then. An answer 401 makes the
 * client look once more, since a token may have been replaced in between.
 */
export class KubeClient implements AsyncDisposable {
  readonly #options: KubeClientOptions;
  readonly #place: string;
  readonly #peers: Peers;
  readonly #closing = new AbortController();

  constructor(options: KubeClientOptions) {
    const { config, context, protection } = options;
    this.#options = options;
    this.#place = `backends.${config.name}`;
    this.#peers = new Peers({ ...context, timeoutMs: config.timeoutMs, place: this.#place, protection });
  }

  get circuit(): CircuitView | undefined {
    return this.#peers.circuit;
  }

  /** How requests go out now. @throws as `Access.connection`. */
  async connection(signal: AbortSignal): Promise<Connection> {
    return await this.#options.access.connection(this.#place, signal);
  }

  /**
   * Reads one object.
   * @returns an answer with status 200.
   * @throws PannierError SECRET_NOT_FOUND, SECRET_DENIED, AUTH_DENIED, AUTH_EXPIRED, BACKEND_REJECTED,
   * BACKEND_THROTTLED, BACKEND_UNAVAILABLE, BACKEND_MALFORMED; what the transport and the access throw.
   */
  async read(object: ObjectRef, place: string, signal: AbortSignal): Promise<KubeAnswer> {
    const path = pathOf(object);
    const { answer, connection } = await this.send({ method: 'GET', path, place }, signal);
    if (answer.status === 200) return answer;
    throw this.#refusal({ ...answer, verb: 'get', object, connection, place });
  }

  /** Sends one request; a 401 is followed by another try when there is another credential. */
  async send(
    request: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: object; readonly place: string },
    signal: AbortSignal,
  ): Promise<{ readonly answer: KubeAnswer; readonly connection: Connection }> {
    const { method, path, place } = request;
    const body = request.body === undefined ? {} : { body: Buffer.from(JSON.stringify(request.body)) };
    return await this.#signedIn(signal, async (connection) => {
      using peer = this.#peers.use(connection);
      const headers = {
        ...this.#headers(connection),
        ...('body' in body ? { 'Content-Type': 'application/json' } : {}),
      };
      const about = { backend: this.#options.config.name, call: `${method} ${path}` };
      const { clock, emit, tracing } = this.#options.context;
      const startedMs = clock.monoMs();
      const exchange = () =>
        peer.transport.run({ place }, signal, async (send) =>
          send({ method, path, headers: { ...headers, ...tracing?.headers() }, ...body }),
        );
      try {
        const answer = await (tracing?.within({ kind: 'call', ...about }, exchange) ?? exchange());
        emit({ kind: 'backend-answered', ...about, status: answer.status, durationMs: clock.monoMs() - startedMs });
        return answer;
      } catch (error) {
        const { inItsWords = (one) => one } = this.#options.access;
        const failed = inItsWords(asFailure(error, place));
        const durationMs = clock.monoMs() - startedMs;
        if (failed.code !== 'CANCELLED') emit({ kind: 'backend-failed', ...about, failure: failed, durationMs });
        throw new PannierError(failed);
      }
    });
  }

  /**
   * Begins a watch on one object. The caller must read the chunks or close the answer; `signal` ends it too.
   * @param query what the watch is asked for beside the object.
   * @throws PannierError as `read` does; a 410 is an answer.
   */
  async watch(
    object: ObjectRef,
    query: Readonly<Record<string, string>>,
    place: string,
    signal: AbortSignal,
  ): Promise<WatchAnswer> {
    const path = watchPathOf(object, query);
    const about = { backend: this.#options.config.name, call: `WATCH ${pathOf(object)}` };
    const { clock, emit } = this.#options.context;
    const startedMs = clock.monoMs();
    const { answer, connection } = await this.#signedIn(signal, async (one) => {
      const opened = await this.#open(one, path, place, signal);
      const isOn = opened.status === 200 || opened.status === 410;
      return { ...opened, body: isOn ? NOTHING : await readSome(opened.chunks) };
    });
    const { status } = answer;
    emit({ kind: 'backend-answered', ...about, status, durationMs: clock.monoMs() - startedMs });
    if (status === 200 || status === 410) return answer;
    answer.close();
    throw this.#refusal({ ...answer, verb: 'watch', object, connection, place });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#options.access.close?.();
    await this.#peers[Symbol.asyncDispose]();
  }

  /** Tries once more when the server does not know the credential, and there is another one by now. */
  async #signedIn<A extends { readonly status: number }>(
    signal: AbortSignal,
    ask: (connection: Connection) => Promise<A>,
  ): Promise<{ readonly answer: A; readonly connection: Connection }> {
    const connection = await this.connection(signal);
    const answer = await ask(connection);
    if (answer.status !== 401) return { answer, connection };
    this.#options.access.refused();
    const next = await this.connection(signal);
    if (isSame(connection, next)) return { answer, connection };
    return { answer: await ask(next), connection: next };
  }

  async #open(connection: Connection, path: string, place: string, signal: AbortSignal) {
    const peer = this.#peers.use(connection);
    const stop = new CallCancellation();
    const cancel = () => stop.stop(fail('CANCELLED', place, 'the watch was ended'));
    const unlisten = [onAbort(signal, cancel), onAbort(this.#closing.signal, cancel)];
    const leave = () => {
      for (const one of unlisten) one();
      peer[Symbol.dispose]();
    };
    let received: ForwardedAnswer;
    try {
      const headers = { ...this.#headers(connection), Accept: METADATA_ONLY };
      const forwarder = await peer.forwarder();
      if (stop.reason !== undefined) throw stop.reason;
      received = await forwarder.send(
        { method: 'GET', path, headers: Object.entries(headers).flat(), withCertificate: true },
        stop,
      );
    } catch (error) {
      leave();
      throw error;
    }
    const status = received.statusCode ?? 0;
    const headers = received.headers as KubeAnswer['headers'];
    if (received instanceof PlainAnswer) {
      leave();
      return { status, headers, chunks: once(received.body), close: () => {} };
    }
    const stream: IncomingMessage = received;
    // A stream over a connection that was in use before has no socket of its own; that one has the option already.
    stream.socket.setKeepAlive?.(true, KEEP_ALIVE_MS);
    stream.once('close', leave);
    // An error without a reader would end the process; who reads the chunks gets it too.
    stream.on('error', () => {});
    return { status, headers, chunks: stream, close: () => void stream.destroy() };
  }

  #headers({ token }: Connection): Record<string, string> {
    return {
      Accept: 'application/json',
      'User-Agent': `pannier/${this.#options.context.version}`,
      ...(token === undefined ? {} : { Authorization: `Bearer ${token.exposeText('backend')}` }),
    };
  }

  #refusal(
    refused: KubeAnswer & {
      readonly verb: 'get' | 'watch';
      readonly object: ObjectRef;
      readonly connection: Connection;
      readonly place: string;
    },
  ) {
    const { credential, token, address } = refused.connection;
    return refusalOf({ ...refused, credential, token, address, nowMs: this.#options.context.clock.wallMs() });
  }
}

const NOTHING = new Uint8Array();

/** After so long without a byte the kernel asks whether the other side is still there, ten times in ten seconds. */
const KEEP_ALIVE_MS = 30_000;

const isSame = (a: Connection, b: Connection): boolean =>
  a.address === b.address &&
  a.tls === b.tls &&
  (a.token === b.token || (!!b.token && a.token?.equals(b.token) === true));

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

async function readSome(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of chunks) {
      read.push(chunk);
      length += chunk.length;
      if (length > MAX_REFUSAL_BYTES) break;
    }
  } catch {
    // what came is enough: the status counts
  }
  return Buffer.concat(read);
}
