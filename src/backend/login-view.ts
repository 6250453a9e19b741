/** Where the login of a backend stands, for metrics and health. */
export interface LoginView {
  /** The configured word of the login, such as `kubernetes`. */
  readonly method: string;
  /**
   * For a Vault login they are described in `backend/vault/auth/session.ts`. A login is usable in `live`, `renewing`
   * and `replacing`.
   */
  readonly state: 'out' | 'logging-in' | 'live' | 'renewing' | 'replacing' | 'dead' | 'stopped';
  readonly isUsable: boolean;
  /** When it ends; undefined when it never does, and when there is none that can be used. */
  readonly endsMonoMs: number | undefined;
  /** When the login is renewed or replaced next. Undefined: that happens now, or no login was asked for yet. */
  readonly nextMonoMs: number | undefined;
}
