import type { Clock } from '../../base/clock.ts';
import type { Failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { LevelControl } from '../../base/log-level.ts';
import type { Tracing } from '../../base/tracing.ts';
import type { OnDemandView as AwsOnDemandView } from '../../deliver/aws/on-demand.ts';
import type { SdsHub } from '../../deliver/sds/hub.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { ComputedByName } from '../../render/render.ts';
import type { Backends } from '../backends.ts';
import type { OutputLoops } from '../output/loops.ts';
import type { Plan } from '../plan.ts';
import type { ListenerView } from './listener-view.ts';

/**
 * What the services on local listeners see of a running agent, and what they may ask of it. They own no state of it: a
 * service is made anew for each configuration, and finds everything here.
 */
export interface AgentView {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  /** Pannier's version. */
  readonly version: string;
  /** Tells this start of the agent from every other one; part of ETags. */
  readonly bootId: string;
  readonly startedWallMs: number;

  /** What is fetched: the secrets that outputs need, computed ones too, and those that listeners show. */
  readonly secrets: Pick<
    LeaseManager,
    | 'names'
    | 'snapshot'
    | 'entryOf'
    | 'wantIdOf'
    | 'nextMonoMs'
    | 'endsMonoMs'
    | 'oldestAttempts'
    | 'onEvent'
    | 'refresh'
    | 'lateMs'
  >;
  readonly outputs: Pick<OutputLoops, 'states' | 'computed' | 'due' | 'kept' | 'published' | 'reload' | 'ask'>;
  /** The backends that are open. */
  readonly backends: Pick<Backends, 'byName'>;

  /** The configuration that is applied now; the first one also while it is being applied. */
  plan(): Plan;
  /** Whether the first configuration is in place: from then on `secrets` and `outputs` know of everything in it. */
  isApplied(): boolean;
  /** What was wrong with the configuration that was refused last; empty when one was taken since. */
  refusedConfig(): readonly Failure[];
  /** Why a secret that has no entry yet has none. */
  reasonMissing(name: string): Failure;
  listeners(): readonly ListenerView[];
  /** Calls `heard` when an output may have changed state, with its name, and when a login failed. */
  onProgress(heard: (output?: string) => void): Disposable;
  /** Calls `heard` with every fact from now on. */
  onFact(heard: Emit): Disposable;
  /** Calls `release` when the agent ends: for what outlives the configurations. */
  atEnd(release: () => void): void;
  /**
   * Has these secrets fetched too, beside what outputs and listeners need; each call replaces the last one's.
   * @param added the only one that is new since the last call; absent: any may be.
   */
  wantAlso(secrets: ComputedByName, added?: string): void;
  /** What the listeners of `sds` share; without them it has no hub. */
  readonly sds: { hub?: SdsHub };
  /** What listeners read on demand by AWS's protocol, by the listener's name; empty without such listeners. */
  readonly awsOnDemand: Map<string, AwsOnDemandView>;
  /** Ends the agent as SIGTERM does. */
  readonly stop: () => void;
  /**
   * Reads the configuration again, as SIGHUP does; undefined where it comes from no file. Resolves with what was wrong:
   * nothing when it was taken.
   */
  readonly reloadConfig: (() => Promise<readonly Failure[]>) | undefined;
  /** The level of the log; undefined where the log is not the agent's own. */
  readonly logLevel?: LevelControl | undefined;
}
