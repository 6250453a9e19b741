/** Where the login of a backend stands, for metrics and health. */
export interface LoginView {
  /** The configured word of the login, such as `kubernetes`. */
  readonly method: string;
  /**
   * `backend/vault/auth/session.ts` describes the states of a Vault login. A login is usable in `live`, `renewing` and
   * `replacing`.
   */
  readonly state: 'out' | 'logging-in' | 'live' | 'renewing' | 'replacing' | 'dead' | 'stopped';
  readonly isUsable: boolean;
  /** When the login ends; undefined when it never ends, and when no login is usable. */
  readonly endsMonoMs: number | undefined;
  /** When the login is renewed or replaced next; undefined while that happens, and before the first login. */
  readonly nextMonoMs: number | undefined;
}
