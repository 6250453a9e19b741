import type { Agent, AgentOptions } from 'node:http';
import type { Agent as SecureAgent, AgentOptions as SecureAgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { TlsConfig } from '../config/config.ts';
import { loadHttp, loadHttps } from './node-http.ts';
import type { ProxyEnv } from './proxy-env.ts';
import { TlsFiles } from './tls-files.ts';

/** At once under way to one backend. 877 connections cost the server three times the CPU of 16. */
export const MAX_CONNECTIONS = 16;

/** A connection is closed at this age, so that a name which moved to other addresses is followed. */
export const CONNECTION_LIFE_MS = 600_000;

/** An idle one is closed sooner: servers and middleboxes drop them silently (Go's own client uses 90 s too). */
const IDLE_MS = 90_000;

export interface PoolOptions {
  readonly tls: TlsConfig;
  /** Absent for unix sockets. */
  readonly proxyEnv?: ProxyEnv;
  readonly place: string;
  readonly clock: Clock;
  /** At once per origin; `MAX_CONNECTIONS` when absent. No more than that many are kept idle in any case. */
  readonly maxConnections?: number;
}

/**
 * Kept-alive connections to one backend and to where it redirects. At most `maxConnections` per origin; how many
 * requests run in total is bounded by the caller (`Slots`). Node's own `maxTotalSockets` is not used for it: it counts
 * idle sockets too and never closes one, so with all of them kept to one origin a redirect to another waits for ever.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #files: TlsFiles;
  readonly #sockets = new Set<Duplex>();
  readonly #born = new WeakMap<Duplex, number>();
  #http: Agent | undefined;
  #https: { readonly agent: SecureAgent; readonly context: SecureContext } | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#files = new TlsFiles(options.tls, options.place, options.clock);
  }

  /** @throws PannierError BACKEND_TLS when a certificate file cannot be used. */
  async agentFor(protocol: 'http:' | 'https:'): Promise<Agent> {
    if (protocol === 'http:') {
      this.#http ??= this.#watched(new (loadHttp().Agent)(this.#agentOptions()));
      return this.#http;
    }
    const context = await this.#files.current();
    if (this.#https?.context !== context) {
      // The old agent's idle connections go now, those in use when their answer is there.
      if (this.#https !== undefined) drain(this.#https.agent);
      this.#https = { agent: this.#watched(this.#secureAgent(context)), context };
    }
    return this.#https.agent;
  }

  /** The next connection asked for is one of the certificate files as they are then, not as they were a second ago. */
  lookAtFiles(): void {
    this.#files.lookAgain();
  }

  /** Closes idle connections: one of them was found dead, so its neighbours probably are. */
  dropIdle(): void {
    for (const agent of [this.#http, this.#https?.agent]) if (agent !== undefined) closeIdle(agent);
  }

  /** Closes everything, also tunnels through a proxy that are not yet connections. */
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
      maxFreeSockets: MAX_CONNECTIONS,
      timeout: IDLE_MS,
      ...(proxyEnv === undefined ? {} : { proxyEnv: { ...proxyEnv } }),
    };
  }

  /** `rejectUnauthorized` is always said, so that NODE_TLS_REJECT_UNAUTHORIZED decides nothing. */
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

  /** Keeps count of the agent's sockets and lets none grow older than `CONNECTION_LIFE_MS`. */
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
      const age = this.#options.clock.monoMs() - (this.#born.get(socket) ?? 0);
      const left = CONNECTION_LIFE_MS - age;
      if (left <= 0 || drained.has(agent) || !keep(socket)) return false;
      socket.setTimeout(Math.max(1, Math.min(left, socket.timeout ?? IDLE_MS)));
      return true;
    };
    return agent;
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

const drained = new WeakSet<Agent>();

function drain(agent: Agent): void {
  drained.add(agent);
  closeIdle(agent);
}

function closeIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of [...(sockets ?? [])]) socket.destroy();
  }
}
