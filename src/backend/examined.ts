import type { Examination } from '../base/examination.ts';
import type { BackendConfig, SecretConfig } from '../config/config.ts';
import type { Fetched } from './backend.ts';
import type { BackendContext } from './context.ts';

/** A backend as `pannier doctor` examines it: what it is asked for, and what opening it needs. */
export interface Examined<C extends BackendConfig = BackendConfig> {
  readonly config: C;
  /** The secrets of this backend that the agent fetches. */
  readonly secrets: readonly SecretConfig[];
  readonly context: BackendContext;
  /** To be called with each value that was read, or `absent` for an optional secret that is not there. */
  took(name: string, found: Fetched | 'absent'): void;
}

/** What `pannier doctor` does with backends of one kind. */
export interface Examiner<C extends BackendConfig = BackendConfig> {
  /**
   * Examines one backend, in the order of causes, and notes each check. It changes nothing: it fetches nothing whose
   * fetch makes something new, and ends a login that it made. Never rejects.
   */
  examine(backend: Examined<C>, examination: Examination): Promise<void>;
}
