import type { BackendConfig, SecretRequest } from '../../config/config.ts';

/** Files on this machine that hold secrets. */
export interface FileBackendConfig extends BackendConfig {
  readonly kind: 'file';
  /** Absolute; a file or a directory. */
  readonly path: string;
}

/** One key of the file, or one file or directory entry by its name. */
export interface FileRequest extends SecretRequest {
  readonly kind: 'file';
  readonly key: string;
}
