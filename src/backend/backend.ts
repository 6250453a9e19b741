import type { Failure } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Fields } from '../base/value.ts';
import type { SecretRequest } from '../config/config.ts';
import type { CircuitView } from '../http/circuit.ts';
import type { FeedView } from './feed-view.ts';
import type { KeptLogin, ResumedLogin } from './kept-login.ts';
import type { LoginView } from './login-view.ts';

/** One thing to fetch, however many names and outputs use it. */
export interface Want {
  /**
   * The identity of the backend and the request as one text. Two secrets with equal requests have one want, and so
   * share the fetch and the lease. The text may hold a computed path: it stays in memory.
   */
  readonly id: string;
  readonly backend: string;
  readonly request: SecretRequest;
  /** Configuration path of the first secret that asks for this want, for errors. */
  readonly place: string;
  readonly refreshMs: number;
  readonly maxStaleMs?: number;
  readonly optional: boolean;
  /**
   * A secret that the backend no longer has becomes absent, as one by a computed path does. Absent: the last value is
   * kept as stale.
   */
  readonly absentWhenGone?: true;
}

/** How long a value lasts, as the backend promised it. Each source states it; it is never guessed from field names. */
export type Life =
  /** `mints`: each request makes something new, so the secret is fetched when it is due and never in between. */
  { readonly kind: 'none'; readonly mints?: true } | RotatingLife | LeaseLife | EndingLife | CertificateLife;

/** The validity of a certificate, on the wall clock. */
export interface CertificateLife {
  readonly kind: 'certificate';
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The backend only stores it, and others renew it: it is read at `refresh`, which makes nothing new. */
  readonly stored?: true;
  /** When its issuer wants it to be replaced, on the wall clock. */
  readonly replaceAtMs?: number;
}

export interface LeaseLife {
  readonly kind: 'lease';
  readonly leaseId: Secret;
  /** Counted from `startedMonoMs`. */
  readonly ttlMs: number;
  readonly renewable: boolean;
  /** When the request was sent, not when the answer came: the life is never over-estimated. */
  readonly startedMonoMs: number;
  /** The login that the lease was made under, and ends with. */
  readonly loginId: number;
}

/** A password that the backend rotates by itself. */
export interface RotatingLife {
  readonly kind: 'rotates';
  /** The time until the announced rotation, counted from `startedMonoMs`. */
  readonly inMs: number;
  /** When the request was sent. */
  readonly startedMonoMs: number;
  /** How many answers in a row brought the old password although its rotation was due; absent: none. */
  readonly looksInVain?: number;
}

/** An end that the answer itself states, such as the `exp` of a JWT. It is no lease and depends on no login. */
export interface EndingLife {
  readonly kind: 'ends';
  /** The clock of both times: `mono` when the answer states a duration, `wall` when it states a point in time. */
  readonly clock: 'mono' | 'wall';
  readonly startMs: number;
  readonly endMs: number;
  /** Each request makes a new value, so the secret is not fetched at `refresh` but shortly before its end. */
  readonly mints: boolean;
}

/** The value of a secret as one fetch brought it. */
export interface Fetched {
  readonly fields: Fields;
  /** For people and for ETags; never a hash of the value. */
  readonly version: string;
  readonly life: Life;
  /** Absent for kinds of backend whose protocol the agent does not serve. */
  readonly original?: Original;
  /** What is not as it was asked for, although the value is good. */
  readonly warning?: Failure;
}

/** What ends a value that was replaced: the version of a certificate is its serial number. */
export type OldValue = Pick<Fetched, 'version' | 'life'>;

/** How the backend names and stores a value, for clients that speak the backend's protocol to the agent. */
export interface Original {
  /** The backend's own name for the secret, such as an ARN. */
  readonly id: string;
  /** The labels of this version, such as staging labels. */
  readonly labels: readonly string[];
  /** When the version was made; absent when the backend does not say. */
  readonly madeWallMs?: number;
  /** The text that the fields were made of; absent when it was no text. */
  readonly text?: Secret;
}

/**
 * The result of a fetch; `unchanged` has no value, but its life counts from now. `asOfMonoMs`: the backend was not
 * asked now, and this is when it has last shown that the value is the present one. `version`: the backend calls the
 * same value by another version now.
 */
export type Fetch =
  | { readonly state: 'changed'; readonly value: Fetched }
  | { readonly state: 'unchanged'; readonly life: Life; readonly asOfMonoMs?: number; readonly version?: string };

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
  /**
   * The part of the backend that a want is asked from, where parts can hang each for itself, as the mounts of Vault do.
   * Absent: no parts are known.
   */
  partOf?(want: Want): string;
  /** Extends a lease; the answer's life starts at the request. Absent: leases of this source are not renewable. */
  renew?(want: Want, life: LeaseLife, signal: AbortSignal): Promise<LeaseLife>;
  /**
   * Ends a value before its own end: revokes its lease or its certificate. Resolves when the backend refuses it from
   * then on, also when it knows it no longer. Absent: values of this source cannot be ended.
   * @throws PannierError LEASE_NOT_REVOKED when the answer named no lease, or what the client and the session throw.
   */
  revoke?(want: Want, old: OldValue, signal: AbortSignal): Promise<void>;
  /**
   * How the value of a want is made again of what an earlier process kept beside the files that it published. Undefined
   * or absent: such values are not kept.
   */
  restorer?(want: Want): Restorer | undefined;
  /**
   * What an earlier process kept for a want where this backend keeps its own, published or not. Absent: only outputs
   * keep values of this source. Never rejects.
   */
  kept?(want: Want): Promise<KeptValue | undefined>;
  /** Tells `listener` what becomes known of the want between fetches. Absent, or undefined: it is not watched. */
  watch?(want: Want, listener: WatchListener): Watching | undefined;
}

/** What a watch tells, at any moment until it is disposed of. */
export interface WatchListener {
  /** The want may have changed: it is fetched at once, also when that makes something new. */
  changed(): void;
  /** Somebody may have written the want: it is fetched at once, unless that would make something new. */
  written(): void;
  /** The issuer of a certificate says when it wants it to be replaced. */
  replaceAt(wallMs: number): void;
  /**
   * From now on no change goes untold, so the want is fetched once more, for changes before, and then polled each
   * `pollMs` only, if that is rarer than its `refresh`. Undefined: changes may go untold, and `refresh` counts again.
   */
  covered(pollMs: number | undefined): void;
}

/** A want that is watched until this is disposed of. */
export interface Watching extends Disposable {
  /** Goes on with another `refreshMs` of the same want. Absent: what watches does not depend on it. */
  follow?(want: Want): void;
  /** Looks now, and not only when it is due. Absent: nothing is looked at. */
  look?(): void;
}

/**
 * Makes the value that a fetch would have brought of the fields that were kept, and sends nothing. Undefined when the
 * fields are not what is asked for, or not good any more. Never rejects.
 */
export type Restorer = (fields: Fields) => Promise<Fetched | undefined>;

/** A value that an earlier process kept. */
export interface KeptValue {
  readonly fields: Fields;
  /** When the value came, on the wall clock. */
  readonly cameWallMs: number;
}

/** A source, and what the lease manager must know about the login that its leases depend on. */
export interface Backend extends AsyncDisposable {
  readonly name: string;
  readonly source: Source;
  /** The address or the path that secrets come from, for messages. It holds no credential. */
  readonly where: string;
  /** Address, namespace and login as one text, part of the id of each want. It holds no credential. */
  readonly identity: string;
  /**
   * Agents of a fleet start together: the first renewal of a lease comes up to half of its time early, at random, so
   * that the fleet does not renew together either. Absent: it comes in its time.
   */
  readonly spreadsFirst?: true | undefined;
  /** When a login ends on the monotonic clock. Absent: leases of this backend depend on no login. */
  loginEndsMonoMs?(loginId: number): number;
  /**
   * Calls `listener` when a login is found to have ended before its time: `loginEndsMonoMs` returns another end then.
   */
  onLoginDead?(listener: () => void): Disposable;
  /**
   * Calls `move` with the id of the next login, before the old login ends or after a dead login was replaced. Leases of
   * older logins must be fetched again under the next one.
   */
  onLoginReplacing?(move: (next: number) => Promise<void>): Disposable;
  /**
   * To be called when the wall clock moved `byMs` ahead of the monotonic clock: the machine may have been suspended.
   */
  clockJumped?(byMs: number): void;
  /** The login as it is now. Absent: this kind of backend has no login with a life. */
  login?(): LoginView;
  /** The circuit breaker as it is now. Absent, or undefined: this backend has none. */
  circuit?(): CircuitView | undefined;
  /**
   * Calls `listener` when the backend answers again after an outage that took so long, as far as this agent's requests
   * have shown. Absent: nothing is known of outages.
   */
  onRecovered?(listener: (outageMs: number) => void): Disposable;
  /** The feed of changes as it is now. Absent, or undefined: this backend has none. */
  feed?(): FeedView | undefined;
  /** Why secrets cannot be fetched now, such as that there is no login; undefined when they can. */
  trouble?(): Failure | undefined;
  /**
   * Resolves when it is known whether the login of an earlier process is used, within about half a second. Undefined:
   * there is none, or it has ended, and leases made under it with it.
   */
  resumed?(): Promise<ResumedLogin | undefined>;
  /** The login in use, for the next process; undefined when there is none that another process could use. */
  loginToKeep?(): KeptLogin | undefined;
  /** Revokes the login, after a failed `init` and with `revokesOnExit`. Never throws. */
  revokeLogin?(signal: AbortSignal): Promise<void>;
  /** Login and leases are revoked when the process ends. Absent: they are left to end. */
  readonly revokesOnExit?: boolean;
  /** Whether the leases of a login end with `revokeLogin`. Absent: this kind of backend has no leases. */
  endsLeases?(loginId: number): boolean;
}
