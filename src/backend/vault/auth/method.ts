import type { Failure } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import type { LoginView } from '../../login-view.ts';

/**
 * One way to log in. A method only logs in; the session renews, looks up and revokes. A method reads its credential
 * files at each login, since the kubelet and other programs rotate them.
 */
export interface AuthMethod {
  /** The configured name of the method: `kubernetes`, `jwt`, `approle`, `token`, `cert`, `userpass`, `ldap`, `aws`. */
  readonly kind: string;
  /**
   * The token was made by another program, and the method only looks it up. Such a token is revoked when `revokeOnExit`
   * is set, never because an `init` failed. Absent: false.
   */
  readonly borrowsToken?: boolean;
  /**
   * @throws PannierError AUTH_CREDENTIAL_UNREADABLE, AUTH_CREDENTIAL_EMPTY, AUTH_DENIED, AUTH_UNUSABLE, or what the
   * client throws when no answer comes.
   */
  login(signal: AbortSignal): Promise<Login>;
  /**
   * Whether a login would use this very token, for a method that borrows one. Absent: any token that the method made
   * is good. @throws PannierError when that cannot be determined.
   */
  uses?(token: Secret, signal: AbortSignal): Promise<boolean>;
  /**
   * The login as one request can carry it, for a server with inline auth. Undefined when it cannot; absent: never.
   * @throws PannierError as `login` does for its credential.
   */
  inline?(signal: AbortSignal): Promise<InlineLogin | undefined>;
  /** What the login under way has been waiting for; undefined when that is not known. */
  trouble?(): Failure | undefined;
}

/** What a login would send: POST auth/MOUNT/login or auth/MOUNT/login/USERNAME with `body`. */
export interface InlineLogin {
  readonly mount: string;
  readonly username?: string;
  readonly body: Readonly<Record<string, Secret | string>>;
}

/** A token and its life, as the server gave it. */
export interface Login {
  readonly token: Secret;
  /** Another name of the token, by which it can be revoked; undefined for batch tokens, which have none. */
  readonly accessor: Secret | undefined;
  /** Counted from `startedMonoMs`. */
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

/** What requests are sent under. */
export interface RequestLogin {
  /** Grows by one with each login of the session. */
  readonly id: number;
  /** `Infinity` when it never ends. */
  readonly endsMonoMs: number;
  readonly usesLeft: number | 'unlimited';
  /** Undefined: requests have no token, since another proxy on the way adds one (`auth: { method: none }`). */
  readonly token: Secret | undefined;
}

/** A login in use. */
export interface LiveLogin extends Login, RequestLogin {
  readonly token: Secret;
}

/** Keeps one login of one backend alive. The state machine is described in `session.ts`. */
export interface Session extends AsyncDisposable {
  /** Begins to log in and returns at once. `current` does it too; the second call does nothing. */
  start(): void;
  /**
   * The login to use now; waits while there is none.
   * @throws PannierError CANCELLED when `signal` aborts first, or the session ends.
   */
  current(signal: AbortSignal): Promise<RequestLogin>;
  /** The same at once, without waiting; undefined: `current` has to wait, or throws. */
  currentNow(): RequestLogin | undefined;
  /**
   * To be called after a 403 under login `loginId`. Asks `auth/token/lookup-self`, once for all callers. `alive` means
   * that the path is denied. `replaced` means that the login is dead: try again with `current`, which waits for another
   * one. With `said`, the server called the token invalid in the 403; this decides when the policy denies lookup-self.
   */
  suspect(loginId: number, said?: 'invalid'): Promise<'alive' | 'replaced'>;
  /** When that login ends, on the monotonic clock; `-Infinity` when it is known dead, `Infinity` when it never ends. */
  endsMonoMs(loginId: number): number;
  /**
   * Calls `move` with the next login, before the old login ends or after a dead one was replaced. Leases of older
   * logins must be fetched again under `next`, which `current` returns by then.
   */
  onReplacing(move: (next: RequestLogin) => Promise<void>): Disposable;
  /** Whether a text is the token or the accessor of the login in use. Takes the same time for every wrong text. */
  names(text: string): boolean;
  /**
   * Waits until there is a login, or a try has failed. After that `current` returns at once, or `trouble` says why
   * there is no login.
   * @throws PannierError CANCELLED when `signal` aborts first, or the session ends.
   */
  settled(signal: AbortSignal): Promise<void>;
  /** Why there is no login now, for messages; undefined while there is one. */
  trouble(): Failure | undefined;
  /** The state of the login, for metrics and health. */
  view(): LoginView;
  /**
   * Ends the session and revokes the login, after a failed `init`. A borrowed token and the login of an earlier
   * process, which another agent may be using, are revoked only when `revokeOnExit` is set. Never throws.
   */
  revoke(signal: AbortSignal): Promise<void>;
}
