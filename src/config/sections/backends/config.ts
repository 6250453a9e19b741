import type { Secret } from '../../../base/secret.ts';

/**
 * One backend, resolved: with defaults, durations in milliseconds, paths absolute, credentials as `Secret`. Each kind
 * has a type of its own that extends this one (`src/backend/KIND/config/config.ts`).
 */
export interface BackendConfig {
  /** Which kind of backend it is, see `src/backend/registry.ts`. */
  readonly kind: string;
  /** Its name in the configuration. */
  readonly name: string;
  /** The server's address, for the status and messages. Absent: the backend has none, or several. */
  readonly address?: string;
  /** How long one request may take in total. Absent: the backend sends no requests. */
  readonly timeoutMs?: number;
  /** How many requests are sent. Absent: the backend sends none, or nothing limits their rate. */
  readonly requests?: RequestsConfig;
}

/** How many requests the agent sends to a backend, and when the first ones. */
export interface RequestsConfig {
  /** Absent: only the number of connections limits the requests. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
  /**
   * The first requests of `run` and `exec` are sent at a random moment within this time after the start; 0: at once.
   */
  readonly startSpreadMs: number;
}

/** How a TLS connection is made and checked. An absent key means the default of Node. */
export interface TlsConfig {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Used while `certFile` does not exist, or holds a certificate that has ended. */
  readonly bootstrap?: { readonly certFile: string; readonly keyFile: string };
  readonly serverName?: string;
  readonly skipVerify: boolean;
  /** What takes the place of the files: PEM that something else holds, such as a kubeconfig. */
  readonly held?: { readonly ca?: string; readonly cert?: string; readonly key?: Secret };
}
