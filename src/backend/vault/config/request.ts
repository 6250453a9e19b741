import type { SecretRequest } from '../../../config/config.ts';

/** A secret of a KV engine, version 1 or 2. */
export interface KvRequest extends SecretRequest {
  readonly kind: 'vault-kv';
  readonly path: string;
  readonly version?: number;
  readonly mount?: string;
  readonly kvVersion?: 1 | 2;
  /** The path was computed from values, so no message may show it. */
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

/** A time, or a duration from the request on. */
export type EndUnit = 'unix-seconds' | 'unix-milliseconds' | 'seconds' | 'milliseconds';

/** Any path that can be read; its lease is honoured. */
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
  readonly role: string;
  readonly commonName: string;
  readonly altNames: readonly string[];
  readonly ipSans: readonly string[];
  readonly uriSans: readonly string[];
  /** As the API takes it (`24h`); absent: the role's own. */
  readonly ttl?: string;
}

export type VaultRequest = KvRequest | ListRequest | ReadRequest | WriteRequest | CertificateRequest;
