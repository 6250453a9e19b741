import type { Failure } from '../base/errors.ts';
import type { BackendConfig } from './sections/backends/config.ts';
import type { ExecConfig } from './sections/exec/config.ts';
import type { AdminConfig, ApiConfig, ProxyConfig } from './sections/listeners/config.ts';
import type { LogConfig } from './sections/log/config.ts';
import type { OutputConfig } from './sections/outputs/config.ts';
import type { SecretConfig } from './sections/secrets/config.ts';

export type * from './sections/backends/config.ts';
export type * from './sections/exec/config.ts';
export type * from './sections/listeners/config.ts';
export type * from './sections/log/config.ts';
export type * from './sections/outputs/config.ts';
export type * from './sections/secrets/config.ts';

/**
 * The configuration as the rest of the agent sees it: defaults filled, durations in milliseconds, paths absolute,
 * references filled, names checked against each other, frozen. What a file may say is `schema.ts`.
 */
export interface Config {
  readonly backends: ReadonlyMap<string, BackendConfig>;
  readonly secrets: ReadonlyMap<string, SecretConfig>;
  readonly outputs: ReadonlyMap<string, OutputConfig>;
  /** The defaults without such a section. */
  readonly exec: ExecConfig;
  /** Absent: no local API. */
  readonly api?: ApiConfig;
  /** Absent: it is off. */
  readonly proxy?: ProxyConfig;
  /** Health and metrics; absent: served nowhere but on the sockets of the api. */
  readonly admin?: AdminConfig;
  readonly log: LogConfig;
  /** Things worth saying that refuse nothing, such as a secret written literally. */
  readonly warnings: readonly Failure[];
  /** The files this came from, for watching and for messages. */
  readonly files: readonly string[];
  /** The directories that were named; what appears there is part of the configuration. */
  readonly folders: readonly string[];
}
