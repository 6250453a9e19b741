import type { Backend } from '../backend/backend.ts';
import type { Clock } from '../base/clock.ts';
import type { Failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { Tracing } from '../base/tracing.ts';
import type { Config } from '../config/config.ts';
import type { OnDemandView } from '../deliver/aws/on-demand.ts';
import type { OutputState, PublishedGeneration } from '../deliver/output-state.ts';
import type { SdsView } from '../deliver/sds/status.ts';
import type { LeaseManager } from '../lease/manager.ts';

/** What health and metrics see of a running agent; the view of `agent/` is one. Nothing of it is changed here. */
export interface Observed {
  readonly clock: Clock;
  /** Absent: there are no traces. */
  readonly tracing?: Pick<Tracing, 'current'> | undefined;
  readonly version: string;
  readonly startedWallMs: number;
  /** Whether the first configuration is in place: from then on `secrets` and `outputs` know of everything in it. */
  isApplied(): boolean;
  plan(): { readonly config: Config };
  /** Every secret that is wanted now; a computed one has a space in its name. */
  readonly secrets: Pick<
    LeaseManager,
    'names' | 'entryOf' | 'wantIdOf' | 'nextMonoMs' | 'endsMonoMs' | 'oldestAttempts' | 'lateMs'
  >;
  readonly outputs: {
    states(): ReadonlyMap<string, OutputState>;
    /** When the loop of each output has come round at the latest. */
    due(): ReadonlyMap<string, number>;
    /** Names of the computed secrets, by the output that needs them. */
    computed(): ReadonlyMap<string, { keys(): Iterable<string> }>;
    /** What an output has published. */
    published(name: string): PublishedGeneration | undefined;
  };
  readonly backends: {
    byName(): ReadonlyMap<string, Pick<Backend, 'login' | 'trouble' | 'circuit' | 'feed'>>;
  };
  /** Why a secret that has no entry yet has none. */
  reasonMissing(name: string): Failure;
  listeners(): readonly {
    readonly service: string;
    readonly where: string;
    readonly listener: { readonly connections: number; readonly answered: ReadonlyMap<number, number> };
  }[];
  /** Without listeners of `sds` it has no hub. */
  readonly sds: { readonly hub?: SdsView | undefined };
  /** What listeners read on demand by AWS's protocol, by the listener's name. */
  readonly awsOnDemand: ReadonlyMap<string, OnDemandView>;
  onProgress(heard: (output?: string) => void): Disposable;
  onFact(heard: Emit): Disposable;
}
