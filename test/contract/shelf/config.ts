import type { Secret } from '../../../src/base/secret.ts';
import type { BackendConfig, SecretRequest } from '../../../src/config/config.ts';

/** The resolved configuration of a shelf. */
export interface ShelfConfig extends BackendConfig {
  readonly kind: 'shelf';
  readonly address: string;
  readonly token: Secret;
  readonly timeoutMs: number;
}

/** One book of a shelf. */
export interface ShelfRequest extends SecretRequest {
  readonly kind: 'shelf-book';
  readonly book: string;
}
