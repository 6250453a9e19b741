import type { Agent, AgentOptions, ClientRequest, IncomingMessage } from 'node:http';
import type { Agent as SecureAgent, AgentOptions as SecureAgentOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { TlsConfig } from '../config/config.ts';
import { KeptConnection } from './kept-connection.ts';
import { loadHttp, loadHttps } from './node-http.ts';
import type { ProxyEnv } from './proxy-env.ts';
import { TlsFiles } from './tls-files.ts';

/** The most requests to one backend at once. 877 connections cost the server three times the CPU of 16. */
export const MAX_REQUESTS = 16;

/** So many logins and renewals go on beside these. */
export const SPARE_REQUESTS = 4;

const MAX_CONNECTIONS = MAX_REQUESTS + SPARE_REQUESTS;

/** A connection is closed at this age, so that a host name that got other addresses is looked up again. */
export const CONNECTION_LIFE_MS = 600_000;

/** An idle connection is closed sooner: servers and middleboxes drop them silently. Go's client uses 90 s too. */
const IDLE_MS = 90_000;

export interface PoolOptions {
  readonly tls: TlsConfig;
  /** Absent for unix sockets. */
  readonly proxyEnv?: ProxyEnv;
  readonly place: string;
  readonly clock: Clock;
  /** The most connections per origin; `MAX_CONNECTIONS` when absent. At most `MAX_REQUESTS` are kept idle. */
  readonly maxConnections?: number;
  /** Idle connections can be borrowed, see `borrow`. Absent or false: they are for Node's client. */
  readonly lends?: boolean;
}

/**
 * Kept-alive connections to one backend and to where it redirects: at most `maxConnections` per origin. The caller
 * limits how many requests run in total (`RequestLimiter`). Node's own `maxTotalSockets` cannot do it: it counts idle
 * sockets too and never closes one, so when all of them idle at one origin, a redirect to another would wait for ever.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #files: TlsFiles;
  readonly #sockets = new Set<Duplex>();
  readonly #born = new WeakMap<Duplex, number>();
  /** Idle connections that can be borrowed, the last used one last. */
  readonly #idle = new WeakMap<Agent, KeptConnection[]>();
  readonly #clientOnly = new WeakSet<ClientRequest>();
  #http: Agent | undefined;
  #https: { readonly agent: SecureAgent; readonly context: SecureContext } | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#files = new TlsFiles(options.tls, options.place, options.clock);
  }

  /** The agent to use now; for TLS it rejects with BACKEND_TLS when a certificate file cannot be used. */
  agentFor(protocol: 'http:' | 'https:'): Agent | Promise<Agent> {
    if (protocol === 'https:') return this.#secureAgentNow();
    this.#http ??= this.#watched(new (loadHttp().Agent)(this.#agentOptions()));
    return this.#http;
  }

  async #secureAgentNow(): Promise<Agent> {
    const context = await this.#files.current();
    if (this.#https?.context !== context) {
      // Idle connections of the old agent are closed now, those in use after their answer.
      if (this.#https !== undefined) this.#drain(this.#https.agent);
      this.#https = { agent: this.#watched(this.#secureAgent(context)), context };
    }
    return this.#https.agent;
  }

  /** The next `agentFor` reads the certificate files as they are then, not as they were up to a second ago. */
  lookAtFiles(): void {
    this.#files.lookAgain();
  }

  /** Closes idle connections. Called when one of them was found dead, since the others probably are dead too. */
  dropIdle(): void {
    for (const agent of [this.#http, this.#https?.agent]) if (agent !== undefined) this.#closeIdle(agent);
  }

  /** Takes an idle connection for one exchange; `giveBack` ends it. Undefined: there is none. */
  borrow(agent: Agent): KeptConnection | undefined {
    const idle = this.#idle.get(agent) ?? [];
    for (let found = idle.pop(); found !== undefined; found = idle.pop()) if (found.isUsable) return found;
    return undefined;
  }

  /** The connection of this request stays with Node's client, for further requests that only it can send. */
  leaveToClient(sent: ClientRequest): void {
    this.#clientOnly.add(sent);
  }

  /** Keeps a borrowed connection for the next exchange, or closes it. @param hint the server's Keep-Alive header. */
  giveBack(agent: Agent, connection: KeptConnection, hint: string | undefined): void {
    const idleMs = Math.min(IDLE_MS, this.#leftMs(connection.socket), hintedMs(hint));
    const idle = this.#idle.get(agent) ?? [];
    const mayStay = idleMs > 0 && idle.length < MAX_REQUESTS && !drained.has(agent) && !hasWaiting(agent);
    if (!mayStay || !connection.isUsable) return void connection.socket.destroy();
    connection.rest(idleMs);
    idle.push(connection);
    this.#idle.set(agent, idle);
  }

  /** Closes all connections, also tunnels through a proxy that are still being made. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#http?.destroy();
    this.#https?.agent.destroy();
  }

  #agentOptions(): AgentOptions {
    const { proxyEnv, maxConnections = MAX_CONNECTIONS } = this.#options;
    return {
      keepAlive: true,
      maxSockets: maxConnections,
      maxFreeSockets: MAX_REQUESTS,
      timeout: IDLE_MS,
      ...(proxyEnv === undefined ? {} : { proxyEnv: { ...proxyEnv } }),
    };
  }

  /** `rejectUnauthorized` is always given, so that NODE_TLS_REJECT_UNAUTHORIZED has no effect. */
  #secureAgent(secureContext: SecureContext): SecureAgent {
    const { serverName, skipVerify } = this.#options.tls;
    const options: SecureAgentOptions & { secureContext: SecureContext } = {
      ...this.#agentOptions(),
      secureContext,
      rejectUnauthorized: !skipVerify,
      ...(serverName === undefined ? {} : { servername: serverName }),
    };
    return new (loadHttps().Agent)(options);
  }

  /** Records the agent's sockets, and keeps none that is older than `CONNECTION_LIFE_MS`. */
  #watched<A extends Agent>(agent: A): A {
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (options, connected) => {
      const socket = connect(options, connected);
      if (socket) this.#note(socket);
      return socket;
    };
    const keep = (agent as unknown as KeepsAlive).keepSocketAlive.bind(agent);
    (agent as unknown as KeepsAlive).keepSocketAlive = (socket) => {
      this.#note(socket);
      const left = this.#leftMs(socket);
      if (left <= 0 || drained.has(agent) || !keep(socket)) return false;
      if (left < (socket.timeout ?? IDLE_MS)) socket.setTimeout(Math.max(1, left));
      return true;
    };
    if (this.#options.lends === true) this.#lend(agent);
    return agent;
  }

  /** Takes connections that Node's client has used out of its hands, unless a request waits for one. */
  #lend(agent: Agent): void {
    const [free] = agent.listeners('free');
    agent.removeAllListeners('free');
    agent.on('free', (socket: Used, options: unknown) => {
      const sent = socket._httpMessage;
      if (sent?.shouldKeepAlive !== true || this.#clientOnly.has(sent) || !socket.writable || hasWaiting(agent)) {
        free?.call(agent, socket, options);
        return;
      }
      socket._httpMessage = null;
      this.#note(socket);
      const connection = new KeptConnection(socket, (lost) => {
        const idle = this.#idle.get(agent);
        const at = idle?.indexOf(lost) ?? -1;
        if (at >= 0) idle?.splice(at, 1);
      });
      this.giveBack(agent, connection, sent.res?.headers['keep-alive']?.toString());
    });
  }

  #leftMs(socket: Duplex): number {
    return CONNECTION_LIFE_MS - (this.#options.clock.monoMs() - (this.#born.get(socket) ?? 0));
  }

  #drain(agent: Agent): void {
    drained.add(agent);
    this.#closeIdle(agent);
  }

  #closeIdle(agent: Agent): void {
    for (const { socket } of [...(this.#idle.get(agent) ?? [])]) socket.destroy();
    this.#idle.delete(agent);
    for (const sockets of Object.values(agent.freeSockets)) {
      for (const socket of [...(sockets ?? [])]) socket.destroy();
    }
  }

  #note(socket: Duplex): void {
    if (this.#born.has(socket)) return;
    this.#born.set(socket, this.#options.clock.monoMs());
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

type Kept = Duplex & { readonly timeout?: number; setTimeout(ms: number): unknown };

/** See https://nodejs.org/api/http.html#agentkeepsocketalivesocket; the types say `void` and `Duplex`. */
interface KeepsAlive {
  keepSocketAlive(socket: Kept): boolean;
}

/** A socket with the request that Node's client has sent over it, as the client leaves it in the socket. */
type Used = Socket & { _httpMessage?: (ClientRequest & { readonly res?: IncomingMessage }) | null };

const drained = new WeakSet<Agent>();

/** Whether a request waits for a connection. */
function hasWaiting({ requests }: Agent): boolean {
  for (const _ in requests) return true;
  return false;
}

/**
 * How long a server says it keeps an idle connection, less a second for the way, as Node's client has it. Servers that
 * say nothing keep theirs for longer than `IDLE_MS`.
 */
function hintedMs(keepAlive: string | undefined): number {
  const [, seconds] = /^timeout=(\d{1,9})/.exec(keepAlive ?? '') ?? [];
  return seconds === undefined ? IDLE_MS : Number(seconds) * 1_000 - 1_000;
}
