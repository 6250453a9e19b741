import type { Secret } from '../base/secret.ts';
import type { BackendConfig, WrappingKey } from '../config/config.ts';
import type { BackendKindConfig } from '../config/sections/backends/kind.ts';
import type { Backend } from './backend.ts';
import type { BackendContext, OpeningContext } from './context.ts';
import type { Examiner } from './examined.ts';
import type { KeyWrap } from './key-wrap.ts';
import type { PolicyMaker } from './policy.ts';

export type { BackendContext, OpeningContext } from './context.ts';

/**
 * The descriptor of one kind of backend: what the configuration must know about it, and how to open one. A kind is a
 * folder beside this file with a `kind.ts`, and a name in `registry.ts`. Only `open` loads its client, so a kind that
 * is not used costs nothing.
 */
export interface BackendKind<C extends BackendConfig = BackendConfig> extends BackendKindConfig {
  /**
   * The credentials that a configuration of this kind holds literally: commands get no environment variable with such a
   * value. Absent: this kind has none.
   */
  credentialsIn?(config: C): readonly Secret[];
  /** Whether a login uses up something that a later login needs, such as a wrapping token. Absent: it never does. */
  usesUpLogin?(config: C): boolean;
  /**
   * Loads what `pannier doctor` and `pannier policy` do with a backend of this kind. A member that is absent: doctor
   * skips the backend, or it needs no policy.
   */
  loadTools?(): Promise<Partial<Examiner<C> & PolicyMaker<C>>>;
  /** Opens the key of a backend that encrypts keys; nothing is sent yet. Absent: `wrapsKeys` is absent too. */
  openKeyWrap?(config: C, key: WrappingKey, context: BackendContext): Promise<KeyWrap>;
  /** Opens a backend; nothing is sent yet. */
  open(config: C, context: OpeningContext): Promise<Backend>;
}
