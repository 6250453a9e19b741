import type { IncomingMessage } from 'node:http';
import type { CallCancellation } from '../../http/call-cancellation.ts';
import type { ForwardedRequest } from '../../http/forwarder.ts';
import type { Backend } from '../backend.ts';
import type { Session } from './auth/method.ts';
import type { VaultClient } from './client/client.ts';
import type { Mount } from './source/mounts.ts';

/**
 * A backend as the server that it is: what a proxy in front of it needs. It belongs to the backend and ends with it.
 */
export interface Upstream extends AsyncDisposable {
  /** For messages. */
  readonly address: string;
  /** The configured one; absent: the root. */
  readonly namespace: string | undefined;
  /** Configuration path of the backend, for errors. */
  readonly place: string;
  /** The longest wait for a login, in milliseconds. */
  readonly loginMs: number;
  /** The agent's own login. */
  readonly session: Pick<
    Session,
    'start' | 'current' | 'settled' | 'suspect' | 'names' | 'endsMonoMs' | 'onReplacing' | 'trouble' | 'view'
  >;
  /** For calls that the proxy makes itself. */
  readonly client: Pick<VaultClient, 'call'>;
  /** See `Forwarder.send`. */
  send(request: ForwardedRequest, stop: CallCancellation): Promise<IncomingMessage>;
  /**
   * The mount that a path of the configured namespace lies in; `refused` when the server will not tell. Asked under the
   * agent's own login, once per mount.
   */
  mountOf(path: string, signal: AbortSignal): Promise<Mount | 'refused'>;
}

/** A backend with a server behind it that clients may reach through the agent. */
export interface VaultBackend extends Backend {
  /** The same at every call. */
  upstream(): Promise<Upstream>;
}

/** Whether a proxy can stand in front of a backend. */
export function hasUpstream(backend: Backend): backend is VaultBackend {
  return 'upstream' in backend;
}
