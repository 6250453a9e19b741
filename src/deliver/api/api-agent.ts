import type { Clock } from '../../base/clock.ts';
import type { Failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { LevelControl } from '../../base/log-level.ts';
import type { Tracing } from '../../base/tracing.ts';
import type { ApiConfig, ApiListenerConfig, SecretConfig } from '../../config/config.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Route } from '../http/routes.ts';
import type { OutputStatus, SecretStatus, Status } from './status.ts';
import type { ComputedPlaces } from './visible.ts';

/** What the API sees of a running agent, and what it may ask of it. */
export interface ApiAgent {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  /** Pannier's version. */
  readonly version: string;
  /** Tells this start of the agent from every other one. */
  readonly bootId: string;
  readonly secrets: Pick<LeaseManager, 'snapshot' | 'entryOf' | 'nextMonoMs' | 'onEvent' | 'refresh'>;
  /** Why a secret without an entry has none. */
  reasonMissing(name: string): Failure;
  secretStatus(name: string): SecretStatus;
  readonly computedPlaces: ComputedPlaces;
  /** @param sees what may be told. */
  status(sees: (secret: string) => boolean): Status;
  /**
   * Reloads an output's published generation once more. Resolves when that has succeeded or failed once or when
   * `signal` aborts, and with undefined when nothing is published.
   */
  reloadOutput(name: string, signal: AbortSignal): Promise<Reloaded | undefined>;
  /**
   * Publishes an earlier generation again and holds the present one back (`roll-back`), or publishes what is held back
   * (`resume`), and waits for the reload as `reloadOutput` does. `refused`: it could not be done. Undefined: `signal`
   * aborted before the output came to it, since a check or a reload runs; it is done after that.
   */
  askOutput(
    name: string,
    wish: Wish,
    signal: AbortSignal,
  ): Promise<Reloaded | { readonly refused: Failure } | undefined>;
  /** See AgentView.reloadConfig. */
  readonly reloadConfig: (() => Promise<readonly Failure[]>) | undefined;
  readonly stop: () => void;
  /** See AgentView.logLevel. */
  readonly logLevel?: LevelControl | undefined;
}

/** What a client may ask of an output beside a reload. */
export type Wish =
  /** `to`: which generation; absent: the one before. */
  { readonly kind: 'roll-back'; readonly to?: number } | { readonly kind: 'resume' };

export interface Reloaded {
  readonly output: OutputStatus;
  /** Why the reload failed; absent: it succeeded, or goes on. */
  readonly why?: Failure;
  /** Why older values are published than there are; absent: the newest are. */
  readonly held?: Failure;
}

/** One listener of the API, as a configuration describes it. */
export interface ApiOptions {
  readonly listener: ApiListenerConfig;
  readonly audit: ApiConfig['audit'];
  /** All configured secrets; the listener may show fewer. */
  readonly secrets: ReadonlyMap<string, SecretConfig>;
  /** Further rows of the route table, such as health. Vital rows need no token. */
  readonly rows?: readonly Route[];
}
