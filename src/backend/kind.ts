import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import type { Secret } from '../base/secret.ts';
import type { BackendConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { BackendKindConfig } from '../config/sections/backends/kind.ts';
import type { Backend } from './backend.ts';

/** What a backend is opened with. */
export interface BackendContext {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  /** The process environment: proxies, and nothing that the configuration has already taken from it. */
  readonly env: Environment;
  /** Pannier's version, for the User-Agent header. */
  readonly version: string;
  /**
   * Outlives the backend: what one that is opened anew with another configuration must still know, under a key that
   * begins with its kind.
   */
  readonly kept: Map<string, unknown>;
}

/**
 * One kind of backend: what the configuration must know of it, and how to open one. A kind is a folder beside this file
 * with a `kind.ts`, and a name in `registry.ts`. Its client is loaded by `open`, so an unused kind costs nothing.
 */
export interface BackendKind<C extends BackendConfig = BackendConfig> extends BackendKindConfig {
  /**
   * Literal credentials in a configuration of this kind: no command inherits a variable with such a value. Absent:
   * none.
   */
  credentialsIn?(config: C): readonly Secret[];
  /** Opens a backend; nothing is sent yet. */
  open(config: C, context: BackendContext): Promise<Backend>;
}
