import type { ListenConfig } from '../config/config.ts';

/** Where and how a new listener is opened. */
export interface ListenOptions {
  readonly where: ListenConfig;
  /** Configuration path, for errors. */
  readonly place: string;
  /** A live socket at the path belongs to this agent: opening leaves it there, and `takePlace` replaces it. */
  readonly replaces?: boolean;
  /** Where all listeners are: a missing directory is made for all sockets in it. Absent: for this one. */
  readonly all?: readonly ListenConfig[];
}

/** A place where clients connect: one unix socket or one TCP port. Disposing it disposes the service that it has. */
export interface Listener extends AsyncDisposable {
  /** The protocol that clients speak on it, such as `http/1.1`. */
  readonly protocol: string;
  /** How many connections are open now. */
  readonly connections: number;
  /** How many requests were answered with each status of the protocol; 0: the client left before its answer began. */
  readonly answered: ReadonlyMap<number, number>;
  /** Whether clients still reach it at its place: a socket file may have been removed or replaced. */
  isInPlace(): Promise<boolean>;
  /** Puts the socket in the place of the one that it replaces. @throws PannierError LISTEN_FAILED. */
  takePlace(): Promise<void>;
}

/**
 * A service answers clients of the agent: the local API, the proxy, health and metrics. It is made anew for each
 * configuration and opens its own listener, so that each service can speak its own protocol.
 */
export interface Service extends AsyncDisposable {
  /** The protocol that it speaks. A listener is handed on to a service of the same protocol only. */
  readonly protocol: string;
  /**
   * Opens a listener that this service answers on.
   * @throws PannierError LISTEN_IN_USE, LISTEN_OCCUPIED, LISTEN_FAILED; then nothing listens.
   */
  listen(options: ListenOptions): Promise<Listener>;
  /**
   * Takes over a listener of the same protocol: this service answers from the next request on. The caller disposes
   * the service that answered before.
   */
  takeListener(listener: Listener): void;
  /**
   * Called once, when the service's configuration comes into use: its backends and secrets exist from then on. A new
   * listener may get requests before that. The services of the earlier configuration are disposed when the promise has
   * settled, so that what both use can be handed on. Never rejects.
   */
  start?(): Promise<void>;
}
