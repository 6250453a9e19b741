import type { BackendConfig, SecretRequest } from '../../config/config.ts';

/** Files on this machine that hold secrets. */
export interface FileBackendConfig extends BackendConfig {
  readonly kind: 'file';
  /** Absolute; a file or a directory. */
  readonly path: string;
}

/** One key of a file, or one entry of a directory; `createFileBackend` says what a key means. */
export interface FileRequest extends SecretRequest {
  readonly kind: 'file';
  readonly key: string;
}
