import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { asFailure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { loadHttps } from '../../http/node-http.ts';
import { Connections } from '../../http/serving/connections.ts';
import { listenAt, portOf } from '../../http/serving/listen.ts';
import { type ServingPair, tlsOfPair } from '../../http/serving/pair.ts';
import { BodyLimit, readBody, STATUS_OF_NOT_TAKEN } from '../../http/serving/read-body.ts';
import { review } from '../review.ts';
import type { InjectorDefaults } from '../settings.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly pair: ServingPair;
  readonly defaults: InjectorDefaults;
  readonly emit: Emit;
  /** What `/readyz` answers by. */
  readonly isReady: () => boolean;
  /** Called for each request to `/mutate` when it is answered. */
  readonly onReviewed?: (outcome: ReviewOutcome, durationMs: number) => void;
}

/** What became of a review; refused is a request that is none. */
export type ReviewOutcome = 'injected' | 'unchanged' | 'denied' | 'refused' | 'failed';

const HEADER_BYTES = 16 * 1024;

/** The API server sends no longer review: an object has at most 1.5 MiB in etcd, and a review may have two. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** All bodies that are read at one time. */
const MAX_BODIES_BYTES = 24 * 1024 * 1024;

/** One address cannot take all. */
const CONNECTIONS = { maxOpen: 256, maxOfAddress: 128 };

/** The API server and the kubelet are near, and send what they have at once; it waits ten seconds for an answer. */
const HEADERS_MS = 3_000;
const REQUEST_MS = 5_000;
const CHECK_MS = 1_000;
const IDLE_MS = 300_000;

/** How long answers that are under way may take when the server closes. */
const CLOSE_MS = 2_000;

/** The webhook's HTTPS server: `POST /mutate` for the API server, `/healthz` and `/readyz` for the kubelet. */
export class InjectorServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: ServerOptions;
  readonly #bodies = { maxBytes: MAX_BODY_BYTES, all: new BodyLimit(MAX_BODIES_BYTES) };
  readonly #connections = new Connections(CONNECTIONS);

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#server = loadHttps().createServer(
      {
        ...tlsOfPair(options.pair),
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: HEADERS_MS,
        requestTimeout: REQUEST_MS,
        handshakeTimeout: HEADERS_MS,
        connectionsCheckingInterval: CHECK_MS,
        keepAliveTimeout: IDLE_MS,
        noDelay: true,
      },
      (request, response) => void this.#handle(request, response),
    );
    this.#server.on('connection', (socket) => this.#connections.open(socket as Socket));
    this.#server.on('tlsClientError', (_, socket) => socket.destroy());
  }

  /** @throws PannierError LISTEN_IN_USE or LISTEN_FAILED */
  static async open(options: ServerOptions): Promise<InjectorServer> {
    const opened = new InjectorServer(options);
    const { host, port } = options;
    await listenAt(opened.#server, { host, port }, '--listen', `${host}:${port}`);
    return opened;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** New connections are shown this pair; those that are open go on. */
  use(pair: ServingPair): void {
    this.#server.setSecureContext(tlsOfPair(pair));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    const kill = setTimeout(() => this.#server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(kill);
  }

  /** Never rejects. */
  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const beganMs = performance.now();
    let outcome: ReviewOutcome | undefined = 'failed';
    try {
      const answer = await this.#answer(request, response);
      outcome = answer.outcome;
      send(response, answer.status, answer.body);
    } catch (error) {
      this.#options.emit({ kind: 'agent-warning', warning: asFailure(error, 'injector') });
      send(response, 500, { error: 'the review failed: see the log of the injector' });
    }
    if (outcome !== undefined) this.#options.onReviewed?.(outcome, performance.now() - beganMs);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const path = request.url?.split('?')[0];
    if (path === '/healthz') return { status: 200, body: { ok: true } };
    if (path === '/readyz') {
      const isReady = this.#options.isReady();
      return { status: isReady ? 200 : 503, body: { ok: isReady } };
    }
    if (path !== '/mutate') return { status: 404, body: { error: 'there are /mutate, /healthz and /readyz' } };
    if (request.method !== 'POST') return refusal(405, 'reviews are posted');
    if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
      return refusal(415, 'a review is application/json');
    }
    const read = await readBody(request, this.#bodies);
    if (typeof read === 'string') return refusal(STATUS_OF_NOT_TAKEN[read], `the body is refused: ${read}`);
    const { socket } = request;
    this.#connections.enter('answering', socket);
    response.once('close', () => this.#connections.enter('idle', socket));
    return await this.#review(read);
  }

  async #review(bytes: Buffer): Promise<Answer> {
    let asked: unknown;
    try {
      asked = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
      return refusal(400, 'the body is not JSON');
    }
    const { defaults, emit } = this.#options;
    const reviewed = await review(asked, defaults);
    if (reviewed === undefined) return refusal(400, 'the body is no AdmissionReview of admission.k8s.io/v1 with a uid');
    const { review: answer, namespace, pod, denied, isInjected, warnings } = reviewed;
    if (denied !== undefined) emit({ kind: 'pod-denied', namespace, pod, reason: denied });
    else if (isInjected) emit({ kind: 'pod-injected', namespace, pod, warnings });
    return {
      status: 200,
      body: answer,
      outcome: denied !== undefined ? 'denied' : isInjected ? 'injected' : 'unchanged',
    };
  }
}

interface Answer {
  readonly status: number;
  readonly body: object;
  /** Absent: it is no answer to a review. */
  readonly outcome?: ReviewOutcome;
}

const refusal = (status: number, error: string): Answer => ({ status, body: { error }, outcome: 'refused' });

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  // What is left of a body that was refused is not read.
  if (!response.req.complete) response.shouldKeepAlive = false;
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
