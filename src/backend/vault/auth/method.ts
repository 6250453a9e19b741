import type { Failure } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import type { LoginView } from '../../login-view.ts';

/**
 * One way to log in. A method logs in only; the session renews, looks up and revokes. Its credential files are read
 * anew at each login, because the kubelet and others rotate them.
 */
export interface AuthMethod {
  /** The configured word: `kubernetes`, `jwt`, `approle`, `token`, `cert`, `userpass`, `ldap`, `aws`. */
  readonly kind: string;
  /**
   * The token was made by somebody else and is only looked up: it is revoked when `revokeOnExit` asks for it, never
   * because an `init` failed.
   */
  readonly borrowsToken?: boolean;
  /**
   * @throws PannierError AUTH_CREDENTIAL_UNREADABLE, AUTH_CREDENTIAL_EMPTY, AUTH_DENIED, AUTH_UNUSABLE, or what the
   * client throws when no answer comes.
   */
  login(signal: AbortSignal): Promise<Login>;
  /** What a login has been waiting for; absent, undefined: nothing that is known. */
  trouble?(): Failure | undefined;
}

export interface Login {
  readonly token: Secret;
  /** Another name of the token, under which it can be revoked; absent for one that has none (batch tokens). */
  readonly accessor: Secret | undefined;
  /** From `startedMonoMs` on. */
  readonly ttlMs: number | 'forever';
  readonly renewable: boolean;
  readonly usesLeft: number | 'unlimited';
  /** When the request was sent, not when the answer came: the life is never over-estimated. */
  readonly startedMonoMs: number;
  /**
   * When the credential that made the login ends: the `exp` of a JWT. The server may check it again at each renewal.
   * Absent: the credential names no end.
   */
  readonly credentialEndsMonoMs?: number | undefined;
}

/** A login in use. `id` grows by one per login of the session. */
export interface LiveLogin extends Login {
  readonly id: number;
  /** `Infinity` when it never ends. */
  readonly endsMonoMs: number;
}

/** Keeps one login of one backend alive. The state machine is described in `session.ts`. */
export interface Session extends AsyncDisposable {
  /** Begins to log in, without waiting for it. Does nothing when it has begun; `current` begins too. */
  start(): void;
  /** Waits while there is none; throws CANCELLED when `signal` aborts first. */
  current(signal: AbortSignal): Promise<LiveLogin>;
  /**
   * To be called after a 403 under login `loginId`. Asks `auth/token/lookup-self`, one question for all callers:
   * `alive` means the path is denied; `replaced` means that the login is dead and `current` gives another, or waits for
   * it: try again. `said` is what the server called the token, where it did: that decides when the policy denies the
   * question.
   */
  suspect(loginId: number, said?: 'invalid'): Promise<'alive' | 'replaced'>;
  /** When that login ends, on the monotonic clock; `-Infinity` when it is known dead, `Infinity` when it never ends. */
  endsMonoMs(loginId: number): number;
  /**
   * Called with the next login before the old one ends, and after a dead one was replaced: leases that hang on an older
   * login must be fetched again under `next`. `current` gives `next` already.
   */
  onReplacing(move: (next: LiveLogin) => Promise<void>): Disposable;
  /** Whether a text is the token of the login in use, or its accessor. Takes the same time for every wrong one. */
  names(text: string): boolean;
  /**
   * Waits while there is no login and none was tried in vain: then `current` gives one at once, or `trouble` says why
   * there is none. Throws CANCELLED when `signal` aborts first.
   */
  settled(signal: AbortSignal): Promise<void>;
  /** Why there is no login now, for messages; undefined while there is one. */
  trouble(): Failure | undefined;
  view(): LoginView;
  /** Revokes the login whatever `revokeOnExit` says: a failed `init` leaves nothing behind. Never throws. */
  revoke(signal: AbortSignal): Promise<void>;
}
