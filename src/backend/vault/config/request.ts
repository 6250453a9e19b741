import type { LocalKey, PrivateKeyFormat } from '../../../certificate/local-key.ts';
import type { SecretRequest } from '../../../config/config.ts';

/** A secret of a KV engine, version 1 or 2. */
export interface KvRequest extends SecretRequest {
  readonly kind: 'vault-kv';
  readonly path: string;
  /** Absent: the newest version. */
  readonly version?: number;
  /** Absent: the server is asked which mount the path is in. */
  readonly mount?: string;
  /** Absent: the server is asked. */
  readonly kvVersion?: 1 | 2;
  /** The path was computed from secret values, so no message and no fact shows it. */
  readonly isPathPrivate?: true;
}

/** The names below a path of a KV engine; only templates ask for it. */
export interface ListRequest extends SecretRequest {
  readonly kind: 'vault-list';
  readonly path: string;
  readonly isPathPrivate?: true;
}

/** The field of an answer that says when the answer ends. */
export interface EndField {
  readonly field: string;
  /** Absent: a number is Unix seconds, a text is RFC 3339. */
  readonly unit?: EndUnit;
}

/** The unit of a point in time (`unix-…`), or of a duration that is counted from the request. */
export type EndUnit = 'unix-seconds' | 'unix-milliseconds' | 'seconds' | 'milliseconds';

/** Any path that can be read; a lease in the answer counts. */
export interface ReadRequest extends SecretRequest {
  readonly kind: 'vault-read';
  readonly path: string;
  readonly end?: EndField;
}

/** A path that answers a write with a secret. */
export interface WriteRequest extends SecretRequest {
  readonly kind: 'vault-write';
  readonly path: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly end?: EndField;
}

/** A certificate of a PKI mount, with its key. */
export interface CertificateRequest extends SecretRequest {
  readonly kind: 'vault-certificate';
  readonly issuer: string;
  /** Which issuer of the mount; absent: the one that the role names. */
  readonly issuerRef?: string;
  readonly role: string;
  readonly commonName: string;
  /** DNS names and e-mail addresses. */
  readonly altNames: readonly string[];
  readonly ipSans: readonly string[];
  readonly uriSans: readonly string[];
  /** `OID;UTF8:TEXT`. */
  readonly otherSans?: readonly string[];
  /** In the form of the API (`86400s`); absent: the role decides. */
  readonly ttl?: string;
  /** In RFC 3339. */
  readonly notAfter?: string;
  /** Absent: the server makes the key. */
  readonly key?: LocalKey & { readonly reuse?: true };
  readonly privateKeyFormat?: PrivateKeyFormat;
  /** CA certificates that must have issued it; absent: the issuing CA of the answer. */
  readonly caFile?: string;
}

/** The certificates of all issuers of a PKI mount. */
export interface TrustBundleRequest extends SecretRequest {
  readonly kind: 'vault-trust-bundle';
  readonly issuer: string;
  /** How long an authority that the mount no longer has stays in the bundle. */
  readonly overlapMs: number;
}

export type VaultRequest =
  | KvRequest
  | ListRequest
  | ReadRequest
  | WriteRequest
  | CertificateRequest
  | TrustBundleRequest;
