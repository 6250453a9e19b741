import type { Failure } from '../../../base/errors.ts';
import { PannierError } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import type { Fields } from '../../../base/value.ts';

import type { CircuitView } from '../../../http/circuit.ts';

/** One request to the Vault HTTP API (https://developer.hashicorp.com/vault/api-docs), below `/v1/`. */
export interface VaultCall {
  readonly method: 'GET' | 'LIST' | 'POST' | 'PUT' | 'DELETE';
  /** Not encoded, without `/v1/` and leading slash: `secret/data/shop/app`. */
  readonly path: string;
  /** The path may hold a secret value, so facts and messages do not show it. */
  readonly isPathPrivate?: true | undefined;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON; a Secret inside it is sent as its text. Absent: no body. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Absent: the call is made without a token. */
  readonly token?: Secret;
  /** Further headers, which are never logged. */
  readonly headers?: Readonly<Record<string, Secret>>;
  /** Replaces the configured namespace; empty is the root. Absent: the configured one. */
  readonly namespace?: string;
  /** Configuration path, for errors. */
  readonly place: string;
  /**
   * Sending the call twice makes nothing twice. A call that mints is not idempotent, also a GET of `database/creds/…`.
   * Such a call is sent again only once, when a reused kept-alive socket was reset before any byte of an answer.
   */
  readonly idempotent: boolean;
  /** Looks at the certificate files first, and uses no connection that was made with an older key pair. */
  readonly freshTls?: boolean;
}

export interface VaultAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body; empty for 204. */
  readonly body: Fields;
}

/**
 * Speaks HTTP to one Vault or OpenBao server. It follows redirects as Vault's own client does (once, never from https
 * to http), reads bodies of up to 16 MiB, and gives each request one deadline.
 */
export interface VaultClient extends AsyncDisposable {
  /** The backend's configured name, for facts. */
  readonly backend: string;
  /** Address and namespace, for messages and identities. */
  readonly address: string;
  readonly namespace: string | undefined;
  /**
   * @returns an answer with status 200, 202 or 204.
   * @throws VaultStatusError for any other status; PannierError with BACKEND_UNREACHABLE, BACKEND_TIMEOUT, BACKEND_TLS,
   * BACKEND_MALFORMED, BACKEND_TOO_LARGE, BACKEND_REDIRECT, or CANCELLED when `signal` aborts.
   */
  call(call: VaultCall, signal: AbortSignal): Promise<VaultAnswer>;
  /** See `Transport.circuit`. */
  readonly circuit?: CircuitView | undefined;
}

/** Whether a 404 says that there is no mount, and not that nothing is stored at the path. */
export function isNoMount({ phrase }: VaultStatusError): boolean {
  return phrase === 'no handler for route';
}

/** An answer with an error status. It has the `body`, since KV v2 answers 404 with metadata in it. */
export class VaultStatusError extends PannierError {
  readonly status: number;
  readonly body: Fields;
  /** The reason that the server gave, as messages show it; undefined when it gave none that is known. */
  readonly phrase: string | undefined;

  constructor(failed: Failure, status: number, body: Fields, phrase?: string) {
    super(failed);
    this.name = 'VaultStatusError';
    this.status = status;
    this.body = body;
    this.phrase = phrase;
  }
}
