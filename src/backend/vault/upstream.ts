import type { CallCancellation } from '../../http/call-cancellation.ts';
import type { ForwardedAnswer, ForwardedRequest } from '../../http/forwarder.ts';
import type { Backend } from '../backend.ts';
import type { Session } from './auth/method.ts';
import type { VaultClient } from './client/client.ts';
import type { Mount } from './source/mounts.ts';

/** The server of a backend, as the proxy in front of it needs it. The backend owns it and disposes of it. */
export interface Upstream extends AsyncDisposable {
  /** The address of the server, for messages. */
  readonly address: string;
  /** The configured namespace; undefined: the root. */
  readonly namespace: string | undefined;
  /** Configuration path of the backend, for errors. */
  readonly place: string;
  /** The longest wait for a login, in milliseconds. */
  readonly loginMs: number;
  /** The agent's own login. */
  readonly session: Pick<
    Session,
    | 'start'
    | 'current'
    | 'currentNow'
    | 'settled'
    | 'suspect'
    | 'names'
    | 'endsMonoMs'
    | 'onReplacing'
    | 'trouble'
    | 'view'
  >;
  /** For calls that the proxy makes itself. */
  readonly client: Pick<VaultClient, 'call'>;
  /** See `Forwarder.send`. */
  send(request: ForwardedRequest, stop: CallCancellation): Promise<ForwardedAnswer>;
  /**
   * The mount that a path of the configured namespace is in; `refused` when the server does not report it. The server
   * is asked with the agent's own login, once per mount.
   */
  mountOf(path: string, signal: AbortSignal): Promise<Mount | 'refused'>;
}

/** A backend with a server behind it that clients may reach through the agent. */
export interface VaultBackend extends Backend {
  /** Opens the upstream at the first call; returns the same one at each call. */
  upstream(): Promise<Upstream>;
}

/** Whether a proxy can stand in front of a backend. */
export function hasUpstream(backend: Backend): backend is VaultBackend {
  return 'upstream' in backend;
}
