import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { MAX_REQUEST_BYTES, parseRelayRequest, RELAY_PATH, type RelayLine } from '../feed/relay-protocol.ts';
import { loadHttp, loadHttps } from '../http/node-http.ts';
import { type ConnectionLimits, Connections } from '../http/serving/connections.ts';
import { listenAt, portOf } from '../http/serving/listen.ts';
import { type ServingPair, tlsOfPair } from '../http/serving/pair.ts';
import { BodyLimit, readBody, STATUS_OF_NOT_TAKEN } from '../http/serving/read-body.ts';
import type { Watcher, Watchers } from './watchers.ts';

/** Whether a bearer token is one that agents may come with. */
export type AcceptsToken = (token: string) => Promise<boolean>;

export interface RelayServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Absent: plain HTTP, which is for this machine alone. */
  readonly pair?: ServingPair | undefined;
  /** PEM of authorities that client certificates must be of. Absent: none is asked for. */
  readonly clientCa?: string | undefined;
  /** Absent: the client certificate is enough. */
  readonly accepts?: AcceptsToken | undefined;
  /** Whether agents trust the pair, as far as it can be known. Absent: there is none. */
  readonly isTrusted?: (() => boolean) | undefined;
  readonly watchers: Watchers;
  /** Absent: 4,096, of which 2,048 of one address may be unknown. */
  readonly connections?: ConnectionLimits;
}

const HEADER_BYTES = 16 * 1024;
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const CHECK_MS = 1_000;

/** Many agents may come from one address, that of a gateway: those that are known count for `maxOpen` alone. */
const CONNECTIONS: ConnectionLimits = { maxOpen: 4_096, maxOfAddress: 2_048 };

/** What an agent has not read yet of what it was sent. More than this and it is dropped. */
const MAX_UNREAD_BYTES = 256 * 1024;

/** Bodies that are read at one time. */
const MAX_BODIES_BYTES = 64 * 1024 * 1024;

/** Serves agents (`POST /v1/watch`), the kubelet (`/healthz`, `/readyz`) and Prometheus (`/metrics`). */
export class RelayServer implements AsyncDisposable {
  readonly #options: RelayServerOptions;
  readonly #server: Server;
  readonly #bodies = { maxBytes: MAX_REQUEST_BYTES, all: new BodyLimit(MAX_BODIES_BYTES) };
  readonly #connections: Connections;

  private constructor(options: RelayServerOptions) {
    this.#options = options;
    this.#connections = new Connections(options.connections ?? CONNECTIONS);
    const limits = {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
      noDelay: true,
    };
    const handle = (request: IncomingMessage, response: ServerResponse) => void this.#handle(request, response);
    const { pair } = options;
    this.#server =
      pair === undefined
        ? loadHttp().createServer(limits, handle)
        : loadHttps().createServer({ ...limits, ...this.#tlsOf(pair), handshakeTimeout: HEADERS_MS }, handle);
    this.#server.on('connection', (socket) => this.#connections.open(socket));
    this.#server.on('tlsClientError', (_, socket) => socket.destroy());
    this.#server.on('clientError', (_, socket) => socket.destroy());
  }

  /** @throws PannierError LISTEN_IN_USE or LISTEN_FAILED */
  static async open(options: RelayServerOptions): Promise<RelayServer> {
    const opened = new RelayServer(options);
    const { host, port } = options;
    await listenAt(opened.#server, { host, port }, '--listen', `${host}:${port}`);
    return opened;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** New connections are shown this pair; those that are open go on. */
  use(pair: ServingPair): void {
    if ('setSecureContext' in this.#server)
      (this.#server as import('node:https').Server).setSecureContext(this.#tlsOf(pair));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#options.watchers.closeAll();
    this.#server.closeAllConnections();
    await closed;
  }

  #tlsOf(pair: ServingPair) {
    const { clientCa } = this.#options;
    // The kubelet and Prometheus show no certificate; who watches must.
    const asks = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
    return { ...tlsOfPair(pair), ...asks };
  }

  /** Never rejects. */
  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    try {
      const path = request.url?.split('?')[0];
      const { state, counts } = this.#options.watchers;
      if (path === '/healthz') return send(response, 200, 'ok\n');
      if (path === '/readyz') {
        const hasEnded = this.#options.isTrusted?.() === false;
        const why = hasEnded ? 'the certificate has ended' : state.why;
        return send(response, state.live && !hasEnded ? 200 : 503, `${why ?? 'ok'}\n`);
      }
      if (path === '/metrics') return send(response, 200, metricsOf(state.live, counts));
      if (path !== RELAY_PATH) return send(response, 404, `there are ${RELAY_PATH}, /healthz, /readyz and /metrics\n`);
      if (request.method !== 'POST') return send(response, 405, 'topics are posted\n');
      if (!(await this.#isKnown(request)))
        return send(response, 401, 'neither the token nor the certificate is known\n');
      const { socket } = request;
      this.#connections.enter('known', socket);
      response.once('close', () => this.#connections.enter('idle', socket));
      await this.#watch(request, response);
    } catch {
      send(response, 500, 'the request failed\n');
    }
  }

  async #isKnown(request: IncomingMessage): Promise<boolean> {
    const { clientCa, accepts } = this.#options;
    if (clientCa !== undefined && (request.socket as TLSSocket).authorized !== true) return false;
    if (accepts === undefined) return clientCa !== undefined;
    const [, token = ''] = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '') ?? [];
    return token !== '' && (await accepts(token));
  }

  async #watch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = await readBody(request, this.#bodies);
    if (typeof read === 'string') return send(response, STATUS_OF_NOT_TAKEN[read], `the topics are ${read}\n`);
    const asked = parseRelayRequest(read.toString('utf8'));
    if (asked === undefined) return send(response, 400, 'the body holds no topics\n');
    const { watchers } = this.#options;
    const watcher: Watcher = {
      send: (line: RelayLine) => {
        if (response.destroyed || response.writableLength > MAX_UNREAD_BYTES) return false;
        response.write(`${JSON.stringify(line)}\n`);
        return true;
      },
      close: () => void response.destroy(),
    };
    response.once('close', () => watchers.remove(watcher));
    request.socket.setTimeout(0);
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
    if (!watchers.add(watcher, asked)) response.destroy();
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  if (response.destroyed || response.headersSent) return;
  if (!response.req.complete) response.shouldKeepAlive = false;
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** The metrics of the relay, which is no agent and loads no library for them. */
function metricsOf(isLive: boolean, counts: Watchers['counts']): string {
  const metric = (name: string, type: string, help: string, value: number) =>
    `# HELP pannier_notify_${name} ${help}\n# TYPE pannier_notify_${name} ${type}\npannier_notify_${name} ${value}\n`;
  return [
    metric('log_up', 'gauge', 'Whether the audit log is read and shows requests (1) or not (0).', isLive ? 1 : 0),
    metric('agents', 'gauge', 'Agents that are connected.', counts.watchers),
    metric('marks', 'gauge', 'Paths that all of them want to hear of.', counts.marks),
    metric('changes_total', 'counter', 'Changes that the log has told of.', counts.changes),
    metric('lines_total', 'counter', 'Lines about changes that were sent to agents.', counts.told),
    metric('dropped_total', 'counter', 'Agents that were dropped since they did not read.', counts.dropped),
  ].join('');
}
