export interface SecretConfig {
  readonly name: string;
  readonly backend: string;
  /** Configuration path of its request (`secrets.db.read`), for errors. */
  readonly place: string;
  readonly optional: boolean;
  readonly refreshMs: number;
  /** Absent: a value is never too old. */
  readonly maxStaleMs?: number;
  readonly request: SecretRequest;
}

/**
 * What a backend is asked for. Each kind of backend has types of its own that extend this one. It is plain data, so
 * that its canonical JSON is part of the secret's identity.
 */
export interface SecretRequest {
  /** Tells the requests of all kinds apart; it begins with the kind of backend (`vault-kv`). */
  readonly kind: string;
  readonly [key: string]: unknown;
}
