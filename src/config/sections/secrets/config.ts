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
  /** How the value is kept good. It is no part of the secret's identity: another upkeep asks for the same value. */
  readonly upkeep?: Upkeep;
  /** The answer is a certificate that the backend stores: it becomes the fields of a certificate. */
  readonly certificateFrom?: StoredCertificate;
  readonly [key: string]: unknown;
}

/** In which fields of an answer a certificate is stored, in PEM. */
export interface StoredCertificate {
  /** The certificate; others of its chain may follow it. */
  readonly certificate: string;
  /** It may be the same field. */
  readonly privateKey: string;
  readonly chain?: string;
  /** CA certificates that must have issued it; absent: the chain, if there is one. */
  readonly caFile?: string;
  /** Absent: five minutes. */
  readonly clockSkewMs?: number;
}

/** How the value of a secret is kept good, beyond what is asked for. */
export interface Upkeep {
  /** When it is replaced; absent: as `lease/schedule.ts` does without it. */
  readonly renewal?: Renewal;
  /** By how much the clocks of this machine and of an issuer of certificates may differ; absent: five minutes. */
  readonly clockSkewMs?: number;
  /** How long after its replacement was taken up an old lease or certificate is revoked; absent: never. */
  readonly revokeOldAfterMs?: number;
}

/** When a value with an end is replaced. */
export interface Renewal {
  /** This long before its end. */
  readonly beforeMs?: number;
  /** When this share of its life is left, between 0 and 1. */
  readonly beforeShare?: number;
  /** Only in these hours, unless the end comes before them. */
  readonly window?: RenewalWindow;
}

/** Hours of a week, such as `Sun 02:00-04:00`. */
export interface RenewalWindow {
  /** The days on which it begins, 0 for Sunday. */
  readonly days: readonly number[];
  /** Minutes since midnight. */
  readonly from: number;
  /** Minutes since midnight; not after `from`: on the next day. */
  readonly to: number;
  /** Absent: in the time zone of the process. */
  readonly utc?: true;
}
