import type { Failure } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';

/** A login that one process hands over to the next. */
export interface KeptLogin {
  readonly token: Secret;
  /** Absent for batch tokens. */
  readonly accessor?: Secret | undefined;
  /** Counted from `startedMonoMs`, on the monotonic clock of the process that reads this. */
  readonly ttlMs: number | 'forever';
  readonly renewable: boolean;
  readonly startedMonoMs: number;
  /** Its number in the process that used it, which the leases made under it name. */
  readonly loginId: number;
  /** It is revoked when the process ends, so it is of use only to the process after one that was killed. */
  readonly endsWithProcess: boolean;
  /** This process made it itself, before the backend was opened: nobody else uses it. Absent: another process did. */
  readonly made?: { readonly credentialEndsMonoMs?: number | undefined };
}

/** The login of an earlier process that is used again. */
export interface ResumedLogin {
  /** Its number in this process. */
  readonly loginId: number;
  /** Why the server did not say whether it is alive; absent: it is. */
  readonly why?: Failure;
}
