import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenConfig } from '../../config/config.ts';
import { loadHttp } from '../../http/node-http.ts';
import type { Listener, ListenOptions } from '../service.ts';
import { type BoundSocket, bind } from './bind.ts';
import { ExtraMethods } from './extra-methods.ts';
import type { HttpService } from './http-service.ts';
import { sendProblem, sendReply, writeUnsent } from './reply.ts';
import { type Reading, SlowClients, type SlowLimits } from './slow-clients.ts';

/** The protocol of an HttpListener. */
export const HTTP = 'http/1.1';

export interface Limits extends SlowLimits {
  /**
   * Connections at once, idle ones included. A further one closes an idle or silent one; when there is none, its
   * requests get 429.
   */
  readonly maxConnections: number;
  /** A connection that sends no first request for so long is silent. */
  readonly silentMs: number;
  /** Size of the request line and all headers together. */
  readonly headerBytes: number;
  /** A kept connection without a request is closed after this. */
  readonly idleMs: number;
  /** Methods that are taken beyond those that Node knows, in capitals. */
  readonly extraMethods: readonly string[];
}

export const LIMITS: Limits = {
  maxConnections: 256,
  silentMs: 500,
  headerBytes: 16 * 1024,
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 300_000,
  extraMethods: [],
};

/** Connections above the limit that are accepted so that health can be asked on them. */
const SPARE_CONNECTIONS = 32;

/** Requests that a connection may send before it gets their answers; a client that sends more is closed as faulty. */
const MAX_AHEAD = 64;

/** The longest timer of Node. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long answers that are under way may take when the listener closes. */
const CLOSE_MS = 2_000;

/**
 * One HTTP/1.1 server on one unix socket or TCP port. What it serves can be exchanged while it listens, so a new
 * configuration neither drops a connection nor misses one.
 */
export class HttpListener implements Listener {
  readonly protocol = HTTP;
  readonly where: ListenConfig;
  readonly #server: Server;
  readonly #sockets = new Map<Socket, Connection>();
  readonly #answered = new Map<number, number>();
  readonly #slowClients: SlowClients;
  #limits: Limits;
  #service: HttpService;
  #bound: BoundSocket | undefined;
  readonly #methods: ExtraMethods | undefined;
  /** One listener for the end of every answer: it is called with the answer as `this`. */
  readonly #closed: (this: ServerResponse) => void;

  private constructor(where: ListenConfig, service: HttpService, limits: Limits) {
    this.where = where;
    this.#service = service;
    this.#limits = limits;
    const ended = (response: ServerResponse) => this.#ended(response);
    this.#closed = function () {
      ended(this);
    };
    this.#server = loadHttp().createServer(
      {
        maxHeaderSize: limits.headerBytes,
        headersTimeout: 0, // SlowClients does it
        requestTimeout: 0,
        connectionsCheckingInterval: MAX_TIMER_MS,
        keepAliveTimeout: limits.idleMs,
        noDelay: true,
      },
      (request, response) => this.#handle(request, response),
    );
    this.#server.maxConnections = limits.maxConnections + SPARE_CONNECTIONS;
    this.#server.on('connection', (socket) => this.#connected(socket));
    this.#server.on('clientError', answerMalformed);
    this.#slowClients = new SlowClients(limits, (socket) => answerMalformed({ code: TIMED_OUT }, socket));
    if (limits.extraMethods.length > 0) this.#methods = new ExtraMethods(this.#server, limits.extraMethods);
  }

  /** @throws PannierError LISTEN_IN_USE, LISTEN_OCCUPIED, LISTEN_FAILED; then nothing listens. */
  static async open(options: ListenOptions, service: HttpService, limits: Partial<Limits> = {}): Promise<HttpListener> {
    const listener = new HttpListener(options.where, service, { ...LIMITS, ...limits });
    listener.#bound = await bind(listener.#server, options);
    return listener;
  }

  /** See Listener. */
  async takePlace(): Promise<void> {
    await this.#bound?.takePlace();
  }

  /** See Listener. */
  async isInPlace(): Promise<boolean> {
    return (await this.#bound?.isInPlace()) ?? false;
  }

  /** See Listener. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** See Listener. */
  get answered(): ReadonlyMap<number, number> {
    return this.#answered;
  }

  /** Lets `service` answer from the next request on. The caller disposes the service that answered before. */
  use(service: HttpService, { maxConnections = LIMITS.maxConnections }: Partial<Limits> = {}): void {
    this.#limits = { ...this.#limits, maxConnections };
    this.#server.maxConnections = maxConnections + SPARE_CONNECTIONS;
    service.takeOver?.(this.#service);
    this.#service = service;
  }

  /** Accepts no more connections, lets answers that are under way finish for a moment, then closes what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await this.#bound?.release();
    await this.#service[Symbol.asyncDispose]();
    this.#server.closeIdleConnections();
    const kill = setTimeout(() => this.#server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(kill);
    this.#slowClients[Symbol.dispose]();
  }

  #connected(socket: Socket): void {
    const { maxConnections } = this.#limits;
    const crowded = this.#sockets.size >= maxConnections && !this.#makeRoom();
    // Half of the spare connections stay free: beyond it one that has sent nothing is closed.
    if (crowded && this.#sockets.size >= maxConnections + SPARE_CONNECTIONS / 2) this.#closeOne(({ used }) => !used);
    const reading = this.#slowClients.watch(socket);
    this.#sockets.set(socket, { busy: 0, ahead: [], used: false, crowded, openedMs: reading.sinceMs, reading });
    socket.once('close', () => this.#sockets.delete(socket));
    // Node's own listener ends the connection of a client that has sent all it wants to; the answer goes first.
    socket.prependListener('end', writeUnsent);
  }

  /** Closes a used idle connection, or else one that has sent no request. False: there is neither. */
  #makeRoom(): boolean {
    const silentSince = performance.now() - this.#limits.silentMs;
    return (
      this.#closeOne(({ busy, used }) => used && busy === 0) ||
      this.#closeOne(({ used, openedMs }) => !used && openedMs <= silentSince)
    );
  }

  /** Closes the oldest connection that fits; the Map is in the order of opening. False: none fits. */
  #closeOne(fits: (connection: Connection) => boolean): boolean {
    for (const [socket, connection] of this.#sockets) {
      if (!fits(connection)) continue;
      socket.destroy();
      this.#sockets.delete(socket);
      return true;
    }
    return false;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.#methods?.restore(request);
    const connection = this.#sockets.get(request.socket);
    if (connection === undefined) return void request.socket.destroy(); // it was closed to make room
    this.#slowClients.headRead(connection.reading, request);
    connection.busy++;
    connection.used = true;
    if (connection.busy > 1) writeUnsent(); // the answer to the one before does not hold this one up
    if (connection.busy > MAX_AHEAD) return void request.socket.destroy();
    response.on('close', this.#closed);
    if (connection.busy === 1) this.#serve(connection, request, response);
    else connection.ahead.push(() => this.#serve(connection, request, response));
  }

  #ended(response: ServerResponse): void {
    const status = response.headersSent ? response.statusCode : 0;
    this.#answered.set(status, (this.#answered.get(status) ?? 0) + 1);
    const { socket } = response.req;
    const connection = this.#sockets.get(socket);
    if (connection === undefined) return;
    connection.busy--;
    const next = socket.destroyed || socket.writableEnded ? undefined : connection.ahead.shift();
    if (next === undefined) return;
    next();
    // A client that sent all it wants to, and said so, may have Node end the connection at the end of this turn.
    writeUnsent();
  }

  #serve(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    if (connection.crowded && this.#makeRoom()) connection.crowded = false;
    if (connection.crowded && this.#service.isVital?.(request) !== true) {
      response.shouldKeepAlive = false;
      const { busyReply } = this.#service;
      if (busyReply !== undefined) sendReply(response, busyReply);
      else sendProblem(response, 429, 'API_BUSY', 'all connections are taken', { 'Retry-After': '1' });
    } else this.#service.handle(request, response);
  }
}

interface Connection {
  /** Requests under way. */
  busy: number;
  /**
   * Requests that were sent before the answer to an earlier one was taken, as functions that begin them, in order.
   * They wait, since the answers for a client that reads none would pile up.
   */
  readonly ahead: (() => void)[];
  /** It has sent a request. One that never did is closed by the header timeout, or earlier to make room. */
  used: boolean;
  /** It was opened when all connections were taken, and none has been closed for it since. */
  crowded: boolean;
  readonly openedMs: number;
  readonly reading: Reading;
}

const TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT';

const MALFORMED: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  [TIMED_OUT]: '408 Request Timeout',
};

/** Answers what is not HTTP with a status and nothing else: no part of it is repeated. */
function answerMalformed(error: { readonly code?: string }, socket: Duplex): void {
  writeUnsent(); // the answers to what came before it
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
  // This is the rest of a request that was answered already: a second answer would confuse the client.
  else if (error.code === 'HPE_CLOSED_CONNECTION') socket.end(() => socket.destroy());
  else {
    const status = MALFORMED[error.code ?? ''] ?? '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  }
}
