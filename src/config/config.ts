import type { Failure } from '../base/errors.ts';
import type { BackendConfig } from './sections/backends/config.ts';
import type { ExecConfig } from './sections/exec/config.ts';
import type { AdminConfig, ApiConfig, ProxyConfig } from './sections/listeners/config.ts';
import type { LogConfig } from './sections/log/config.ts';
import type { OutputConfig } from './sections/outputs/config.ts';
import type { SdsConfig } from './sections/sds/config.ts';
import type { SecretConfig } from './sections/secrets/config.ts';
import type { StateConfig } from './sections/state/config.ts';
import type { TracesConfig } from './sections/traces/config.ts';

export type * from './sections/backends/config.ts';
export type * from './sections/exec/config.ts';
export type * from './sections/listeners/config.ts';
export type * from './sections/log/config.ts';
export type * from './sections/outputs/config.ts';
export type * from './sections/sds/config.ts';
export type * from './sections/secrets/config.ts';
export type * from './sections/state/config.ts';
export type * from './sections/traces/config.ts';

/**
 * The configuration that the rest of the agent uses: with defaults, durations in milliseconds, absolute paths, filled
 * references, and names that exist; frozen. `schema.ts` says what a file may hold.
 */
export interface Config {
  readonly backends: ReadonlyMap<string, BackendConfig>;
  readonly secrets: ReadonlyMap<string, SecretConfig>;
  readonly outputs: ReadonlyMap<string, OutputConfig>;
  /** Has the defaults when there is no section `exec`. */
  readonly exec: ExecConfig;
  /** Absent: there is no local API. */
  readonly api?: ApiConfig;
  /** Absent: there is no proxy. */
  readonly proxy?: ProxyConfig;
  /** The listener for health and metrics. Absent: only the listeners of `api` serve them. */
  readonly admin?: AdminConfig;
  /** Absent: there is no server of Envoy's secret discovery service. */
  readonly sds?: SdsConfig;
  /** Absent: nothing is kept for the next start. */
  readonly state?: StateConfig;
  /** Absent: there are no traces. */
  readonly traces?: TracesConfig;
  readonly log: LogConfig;
  /** Problems that do not refuse the configuration, such as a secret that is written literally. */
  readonly warnings: readonly Failure[];
  /** The absolute paths of the files that it was read from, for watching and for messages. */
  readonly files: readonly string[];
  /** The directories that were named. A file that appears in one becomes part of the configuration. */
  readonly folders: readonly string[];
}
