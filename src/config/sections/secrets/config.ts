/** One secret: what is fetched, from where, and how often. */
export interface SecretConfig {
  readonly name: string;
  readonly backend: string;
  /** The configuration path of its request (`secrets.db.read`), for errors. */
  readonly place: string;
  /** Whether outputs go on without the secret when the backend says that it does not exist. */
  readonly optional: boolean;
  /** How often it is fetched when it has no lease. */
  readonly refreshMs: number;
  /** How long a value is used after its last successful refresh. Absent: for as long as it is valid. */
  readonly maxStaleMs?: number;
  readonly request: SecretRequest;
}

/**
 * What a backend is asked for. Each kind of backend has its own types that extend this one. A request is plain data,
 * and its canonical JSON is part of the secret's identity.
 */
export interface SecretRequest {
  /** Unique among the requests of all backends; it begins with the kind of backend (`vault-kv`). */
  readonly kind: string;
  readonly [key: string]: unknown;
}
