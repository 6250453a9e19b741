import type { Failure } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Fields } from '../base/value.ts';
import type { SecretRequest } from '../config/config.ts';
import type { LoginView } from './login-view.ts';

/** One thing to fetch, however many names and outputs use it. */
export interface Want {
  /**
   * The backend's identity and the request as one text, kept in memory only; two names for one request share the fetch
   * and the lease.
   */
  readonly id: string;
  readonly backend: string;
  readonly request: SecretRequest;
  /** Configuration path of the first name, for errors. */
  readonly place: string;
  readonly refreshMs: number;
  readonly maxStaleMs?: number;
  readonly optional: boolean;
  /** What is not there any more is absent, instead of kept as stale: a secret by a computed path. */
  readonly absentWhenGone?: true;
}

/** What a backend promised about a value's life. Each source states its own; nobody guesses it from field names. */
export type Life =
  /** `mints`: each request makes something new, so the secret is asked for when it is due and never out of turn. */
  | { readonly kind: 'none'; readonly mints?: true }
  | RotatingLife
  | LeaseLife
  | EndingLife
  | { readonly kind: 'certificate'; readonly notBeforeMs: number; readonly notAfterMs: number };

export interface LeaseLife {
  readonly kind: 'lease';
  readonly leaseId: Secret;
  /** From `startedMonoMs` on. */
  readonly ttlMs: number;
  readonly renewable: boolean;
  /** When the request was sent. */
  readonly startedMonoMs: number;
  /** The login it ends with. */
  readonly loginId: number;
}

/** A password that the backend rotates by itself. */
export interface RotatingLife {
  readonly kind: 'rotates';
  /** The announced rotation, from `startedMonoMs` on. */
  readonly inMs: number;
  readonly startedMonoMs: number;
  /** How many answers in a row have come since a rotation was due and brought the old password; absent: none. */
  readonly looksInVain?: number;
}

/** An end that stands in the answer itself, such as the `exp` of a JWT: no lease, and no login that it hangs on. */
export interface EndingLife {
  readonly kind: 'ends';
  /** The clock that both times are read on: `mono` for an end told as a duration, `wall` for one told as a time. */
  readonly clock: 'mono' | 'wall';
  readonly startMs: number;
  readonly endMs: number;
  /** Each request makes a new one, so `refresh` is no reason to ask. */
  readonly mints: boolean;
}

export interface Fetched {
  readonly fields: Fields;
  /** For people and for ETags; never a hash of the value. */
  readonly version: string;
  readonly life: Life;
  /** Absent where nobody asks in the backend's own words. */
  readonly original?: Original;
}

/** How the backend itself names and keeps a value, for those who speak its protocol to us. */
export interface Original {
  /** The backend's own name for the secret, such as an ARN. */
  readonly id: string;
  /** Of this version, such as staging labels. */
  readonly labels: readonly string[];
  /** When the version was made; absent when the backend does not say. */
  readonly madeWallMs?: number;
  /** The text that the fields were made of; absent when it was no text. */
  readonly text?: Secret;
}

export type Fetch =
  | { readonly state: 'changed'; readonly value: Fetched }
  | { readonly state: 'unchanged'; readonly life: Life };

/**
 * A kind of backend: how to fetch, renew and watch. Implementations are safe to call for many wants at once, throw
 * PannierError only, and end with CANCELLED soon after `signal` aborts. A source keeps no values.
 */
export interface Source {
  /**
   * `last` is the previous answer of this want; `unchanged` means equal version and equal fields.
   * @throws PannierError SECRET_DENIED, SECRET_NOT_FOUND, SECRET_DELETED, SECRET_DESTROYED, SECRET_EMPTY,
   * BACKEND_REJECTED, BACKEND_FILE, or what the client and the session throw.
   */
  fetch(want: Want, last: Fetched | undefined, signal: AbortSignal): Promise<Fetch>;
  /** Extends a lease; the answer's life starts at the request. Absent: leases of this source are not renewable. */
  renew?(want: Want, life: LeaseLife, signal: AbortSignal): Promise<LeaseLife>;
  /** Calls `changed` when the backend says that the want may have changed; absent: polling only. */
  watch?(want: Want, changed: () => void): Disposable;
}

/** A source with what the lease manager must know about the login its leases hang on. */
export interface Backend extends AsyncDisposable {
  readonly name: string;
  readonly source: Source;
  /** For messages: the address or the path that is asked. No credential in it. */
  readonly where: string;
  /** Identity of address, namespace and login, part of each want's id. No credential in it. */
  readonly identity: string;
  /** When a login ends on the monotonic clock; absent: leases of this backend hang on no login. */
  loginEndsMonoMs?(loginId: number): number;
  /**
   * Calls `heard` when a login was found to have ended before its time, so that `loginEndsMonoMs` tells another end.
   */
  onLoginDead?(heard: () => void): Disposable;
  /**
   * Calls `move` with the id of the next login before the old one ends, and after a dead one was replaced: leases of
   * older logins must be fetched again under it.
   */
  onLoginReplacing?(move: (next: number) => Promise<void>): Disposable;
  /** Wall and monotonic clock moved apart by this much; a jump forward may have been a suspension. */
  clockJumped?(byMs: number): void;
  /** Its login as it is now; absent: it has none of its own. */
  login?(): LoginView;
  /** Why nothing can be fetched now (no login); undefined when it can. */
  trouble?(): Failure | undefined;
  /** A failed `init` gives its login back. Never throws. */
  revokeLogin?(signal: AbortSignal): Promise<void>;
}
