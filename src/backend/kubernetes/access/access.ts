import type { Failure } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import type { TlsConfig } from '../../../config/config.ts';

/** How one request reaches the API server, and as whom. */
export interface Connection {
  readonly address: string;
  /** The same object for as long as nothing in it has changed. */
  readonly tls: TlsConfig;
  /** A bearer token. Absent: the client certificate of `tls` says who asks, or nobody does. */
  readonly token?: Secret;
  /** The namespace of requests that name none. */
  readonly namespace: string;
  /** Where the credential comes from, for messages. */
  readonly credential: string;
}

/** Finds out how to reach a cluster. It reads files when it is asked, so that what was rotated counts at once. */
export interface Access {
  /** A path or an address, for messages. */
  readonly where: string;
  /** What tells this access from others. It holds no credential. */
  readonly identity: readonly (string | undefined)[];
  /**
   * @param place the configuration path of the backend, for errors.
   * @throws PannierError BACKEND_FILE, AUTH_CREDENTIAL_UNREADABLE, AUTH_CREDENTIAL_EMPTY, AUTH_NO_CREDENTIALS, or
   * CANCELLED when `signal` aborts.
   */
  connection(place: string, signal: AbortSignal): Promise<Connection>;
  /** To be called when the API server does not know the credential: what is kept of it is made anew. */
  refused(): void;
  /** What keeps `connection` waiting; undefined or absent: nothing that takes long. */
  trouble?(place: string): Failure | undefined;
  /** A failure of a connection in the words of the file that says how to connect. Absent: as it is. */
  inItsWords?(failed: Failure): Failure;
  /** Ends what still runs for a credential. */
  close?(): void;
}
