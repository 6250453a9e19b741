import type { ListenConfig } from '../config/config.ts';

/** Where a new listener listens. */
export interface ListenOptions {
  readonly where: ListenConfig;
  /** Configuration path, for errors. */
  readonly place: string;
  /** A live socket at the path belongs to this agent and is replaced by `takePlace`. */
  readonly replaces?: boolean;
}

/** A place where clients connect: one unix socket or one TCP port. Disposing it disposes the service that it has. */
export interface Listener extends AsyncDisposable {
  /** What is spoken on it, such as `http/1.1`. */
  readonly protocol: string;
  /** Connections at present. */
  readonly connections: number;
  /** How many requests were answered with each status of the protocol; 0: the client left before its answer began. */
  readonly answered: ReadonlyMap<number, number>;
  /** Whether clients still reach it at its place: a socket file may have been removed or replaced. */
  isInPlace(): Promise<boolean>;
  /** Puts the socket in the place of the one that it replaces. @throws PannierError LISTEN_FAILED. */
  takePlace(): Promise<void>;
}

/**
 * What answers clients of the agent: the local API, the proxy, health and metrics. It is made anew for each
 * configuration and opens its own listener, so that each service can speak its own protocol.
 */
export interface Service extends AsyncDisposable {
  /** What it speaks. A listener is handed on to a service of the same protocol only. */
  readonly protocol: string;
  /**
   * Opens a listener that this service answers on.
   * @throws PannierError LISTEN_IN_USE, LISTEN_OCCUPIED, LISTEN_FAILED; then nothing listens.
   */
  listen(options: ListenOptions): Promise<Listener>;
  /**
   * From the next request on this service answers on a listener of the same protocol, in the place of the service
   * before, which the caller disposes.
   */
  takeListener(listener: Listener): void;
  /**
   * Called once, when the configuration that it was made for is taken: the backends and secrets of it are there from
   * now on. A new listener may get requests before. Services of the configuration before are disposed when the promise
   * has settled, so that what both use can be handed on. Never rejects.
   */
  start?(): Promise<void>;
}
