import { type FSWatcher, watch } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { asFailure, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { SdsListenConfig } from '../../config/config.ts';
import { type BoundSocket, bind } from '../http/bind.ts';
import { TokenFile } from '../http/token-file.ts';
import type { Listener, ListenOptions } from '../service.ts';
import { type CallDeps, type CallFault, createMethods, DEFINITION } from './grpc.ts';
import type { SdsHub } from './hub.ts';
import type { Grpc } from './load-grpc.ts';
import { PollServer } from './poll.ts';

export const PROTOCOL = 'grpc';

/** The first bytes of every HTTP/2 connection (RFC 9113, section 3.4). What begins with something else is HTTP/1. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0';
const PREFACE_START = 3;

/** How long a connection may stay open without its first bytes. */
const SILENT_MS = 10_000;

const MAX_CONNECTIONS = 1_024;

/** A request holds names and versions: 10,000 of them are less than a megabyte. */
const MAX_REQUEST_BYTES = 4 * 2 ** 20;

/** How often the socket file is looked at without an event. */
const LOOK_MS = 30_000;

/** Events of a directory are gathered for so long. */
const GATHER_MS = 20;

/** How soon making a socket anew is tried again. */
const RETRY_MS = 1_000;

/** How often a warning of too many streams is repeated. */
const BUSY_MS = 60_000;

/** How long streams may take to end when the listener closes. */
const CLOSE_MS = 500;

/** What may differ in a new configuration. */
export interface SdsListenerSettings {
  readonly listen: SdsListenConfig;
  readonly maxStreams: number;
  /** It is disposed of with the listener. */
  readonly service: AsyncDisposable;
}

export interface SdsListenerDeps {
  readonly grpc: Grpc;
  readonly hub: SdsHub;
  readonly clock: Clock;
  readonly emit: Emit;
}

/**
 * A socket or a port that speaks gRPC, and answers `POST /v3/discovery:secrets` of HTTP/1 as well: the first bytes of a
 * connection say which it is.
 *
 * A socket file that somebody removes or replaces is made again: Istio's agent removes one that it could not reach in
 * its first second. Connections that are open stay open meanwhile. The socket of another live process stays.
 */
export class SdsListener implements Listener, CallDeps {
  readonly protocol = PROTOCOL;
  readonly hub: SdsHub;
  readonly #deps: SdsListenerDeps;
  readonly #options: ListenOptions;
  readonly #server: InstanceType<Grpc['Server']>;
  readonly #injector: ReturnType<InstanceType<Grpc['Server']>['createConnectionInjector']>;
  readonly #polls: PollServer;
  readonly #sockets = new Set<Socket>();
  readonly #answered = new Map<number, number>();
  #settings: SdsListenerSettings;
  #token: TokenFile | undefined;
  readonly #streams = new Set<() => void>();
  #toldBusyMs = Number.NEGATIVE_INFINITY;
  #net: Server | undefined;
  #bound: BoundSocket | undefined;
  #watcher: FSWatcher | undefined;
  #cancelLook = () => {};
  #look: Promise<void> = Promise.resolve();
  /** The last failure to make the socket again, so that it is told once. */
  #lostCode: string | undefined;
  #isClosed = false;

  private constructor(options: ListenOptions, settings: SdsListenerSettings, deps: SdsListenerDeps) {
    const { grpc, hub } = deps;
    this.hub = hub;
    this.#deps = deps;
    this.#options = options;
    this.#settings = settings;
    this.#token = this.#tokenOf(settings);
    this.#server = new grpc.Server({
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.enable_channelz': 0,
    });
    this.#server.addService(DEFINITION, createMethods(grpc, this));
    this.#injector = this.#server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    this.#polls = new PollServer(hub, (token) => this.refuse(token));
  }

  /** @throws PannierError LISTEN_IN_USE, LISTEN_OCCUPIED, LISTEN_FAILED; then nothing listens. */
  static async open(
    options: ListenOptions,
    settings: SdsListenerSettings,
    deps: SdsListenerDeps,
  ): Promise<SdsListener> {
    const listener = new SdsListener(options, settings, deps);
    await listener.#bind(options);
    if (options.replaces !== true) listener.#watch();
    return listener;
  }

  /** See Listener. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** See Listener: by status of gRPC, whose 0 is success. */
  get answered(): ReadonlyMap<number, number> {
    return this.#answered;
  }

  /** See Listener. */
  async isInPlace(): Promise<boolean> {
    return (await this.#bound?.isInPlace()) ?? false;
  }

  /** See Listener. */
  async takePlace(): Promise<void> {
    await this.#bound?.takePlace();
    if (this.#options.replaces === true) this.#watch();
  }

  /** Goes over to the settings of a new configuration. Streams stay open. */
  use(settings: SdsListenerSettings): void {
    if (settings.listen.tokenFile !== this.#settings.listen.tokenFile) this.#token = this.#tokenOf(settings);
    this.#settings = settings;
  }

  /** See CallDeps. */
  async refuse(token: string | undefined): Promise<CallFault | undefined> {
    if (this.#isClosed) return { kind: 'unavailable', message: 'the agent stops' };
    if (this.#token === undefined) return undefined;
    if (token === undefined) return { kind: 'denied', message: 'the request carries no token' };
    try {
      return (await this.#token.accepts(token)) ? undefined : { kind: 'denied', message: 'the token is wrong' };
    } catch (error) {
      return { kind: 'unavailable', message: asFailure(error, this.#options.place).seen };
    }
  }

  /** See CallDeps. */
  enter(end: () => void): boolean {
    if (this.#streams.size >= this.#settings.maxStreams) {
      this.#tellBusy();
      return false;
    }
    this.#streams.add(end);
    return true;
  }

  /** See CallDeps. */
  leave(end: () => void): void {
    this.#streams.delete(end);
  }

  /** See CallDeps. */
  ended(status: number): void {
    this.#answered.set(status, (this.#answered.get(status) ?? 0) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#cancelLook();
    await this.#look;
    const closed = this.#closeNet();
    await this.#bound?.release();
    await this.#settings.service[Symbol.asyncDispose]();
    for (const end of [...this.#streams]) end();
    this.#polls[Symbol.dispose]();
    this.#injector.drain(CLOSE_MS);
    const ended = Promise.all(
      [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    const kill = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, CLOSE_MS);
    await ended;
    clearTimeout(kill);
    this.#server.forceShutdown();
    await closed;
  }

  /** Warns of a client that opens too many streams, once in a while. */
  #tellBusy(): void {
    const now = this.#deps.clock.monoMs();
    if (now - this.#toldBusyMs < BUSY_MS) return;
    this.#toldBusyMs = now;
    const { place } = this.#options;
    const seen = `${this.#settings.maxStreams} streams are open, the most that maxStreams allows`;
    this.#deps.emit({ kind: 'agent-warning', warning: failure('SDS_BUSY', place, seen) });
  }

  #tokenOf({ listen: { tokenFile, place } }: SdsListenerSettings): TokenFile | undefined {
    return tokenFile === undefined ? undefined : new TokenFile(tokenFile, `${place}.tokenFile`, this.#deps.clock);
  }

  async #bind(options: ListenOptions): Promise<void> {
    const server = process.getBuiltinModule('node:net').createServer((socket) => this.#connected(socket));
    server.maxConnections = MAX_CONNECTIONS;
    this.#bound = await bind(server, options);
    this.#net = server;
  }

  #closeNet(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#net === undefined) resolve();
    else this.#net.close(() => resolve());
    return promise;
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const drop = () => void socket.destroy();
    socket.on('error', drop);
    socket.setTimeout(SILENT_MS, drop);
    let head = Buffer.alloc(0);
    const read = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      head = Buffer.concat([head, chunk]);
      if (head.length < PREFACE_START) return;
      socket.off('readable', read);
      socket.setTimeout(0);
      socket.off('timeout', drop);
      socket.unshift(head);
      const isHttp2 = head.toString('latin1', 0, PREFACE_START) === HTTP2_PREFACE.slice(0, PREFACE_START);
      if (isHttp2) this.#injector.injectConnection(socket);
      else this.#polls.take(socket);
    };
    socket.on('readable', read);
  }

  #watch(): void {
    const { where } = this.#options;
    if (where.kind !== 'unix' || this.#isClosed) return;
    this.#watcher?.close();
    try {
      this.#watcher = watch(dirname(where.path), { persistent: false }, () => this.#lookSoon(GATHER_MS));
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      this.#watcher = undefined; // the directory is gone, or there are no more watches: it is looked at now and then
    }
    this.#lookSoon(GATHER_MS); // for a change before the watch
  }

  #lookSoon(ms: number): void {
    this.#cancelLook();
    if (this.#isClosed) return;
    this.#cancelLook = this.#deps.clock.after(ms, () => {
      this.#look = this.#look.then(() => this.#lookNow());
    });
  }

  /** Makes the socket again when it is not in its place. */
  async #lookNow(): Promise<void> {
    if (this.#isClosed) return;
    if (await this.isInPlace()) return this.#lookSoon(LOOK_MS);
    const before = { net: this.#net, bound: this.#bound };
    try {
      const { where, place } = this.#options;
      await this.#bind({ where, place });
      before.net?.close();
      await before.bound?.release();
      this.#lostCode = undefined;
      this.#watch(); // the directory may be another one
    } catch (error) {
      const warning = asFailure(error, this.#options.place);
      if (warning.code !== this.#lostCode) this.#deps.emit({ kind: 'agent-warning', warning });
      this.#lostCode = warning.code;
      this.#lookSoon(RETRY_MS);
    }
  }
}
