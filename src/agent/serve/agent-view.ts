import type { Backend } from '../../backend/backend.ts';
import type { Clock } from '../../base/clock.ts';
import type { Failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import type { OutputState } from '../../deliver/output-state.ts';
import type { SecretListener } from '../../lease/manager.ts';
import type { SecretEntry, Snapshot } from '../../lease/snapshot.ts';
import type { ComputedByName } from '../../render/render.ts';
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
  /** Ours. */
  readonly version: string;
  /** Tells this start of the agent from every other one; part of ETags. */
  readonly bootId: string;
  readonly startedWallMs: number;
  /** The configuration that is applied now; the first one also while it is being applied. */
  plan(): Plan;
  /** The first configuration is in place: what follows knows of everything in it. */
  isApplied(): boolean;
  /** Every secret that is wanted now: what outputs need, those of computed paths too, and what is served. */
  wanted(): Iterable<string>;
  /** The secrets whose paths the templates of an output worked out, by the name of the output. */
  computed(): ReadonlyMap<string, ComputedByName>;
  /** Why a secret that has no entry yet has none. */
  reasonMissing(name: string): Failure;
  /** When the oldest attempt that runs now began, by backend. */
  oldestAttempts(): ReadonlyMap<string, number>;
  snapshot(names?: Iterable<string>): Snapshot;
  entryOf(name: string): SecretEntry | undefined;
  /** When the next attempt for a secret is due, on the monotonic clock; undefined while one runs. */
  nextMonoMs(name: string): number | undefined;
  /** When a secret's value stops being valid; undefined when nothing is known to end it. */
  endsMonoMs(name: string): number | undefined;
  /** See LeaseManager.onEvent. */
  onEvent(heard: SecretListener): Disposable;
  /** Fetches now, joining an attempt that runs; a failure keeps the value. @throws TypeError for an unknown name. */
  refresh(name: string): Promise<SecretEntry | undefined>;
  outputs(): ReadonlyMap<string, OutputState>;
  /** When the loop of each output has come round at the latest; past it, it hangs. */
  outputsDue(): ReadonlyMap<string, number>;
  /** Calls `heard` when an output may have changed state, with its name, and when a login failed. */
  onProgress(heard: (output?: string) => void): Disposable;
  backends(): ReadonlyMap<string, Backend>;
  listeners(): readonly ListenerView[];
  /** Every fact from now on. */
  onFact(heard: Emit): Disposable;
  /** By how much the next deadline is past; more than a moment means that time is no longer kept. */
  lateMs(): number;
  /** Reloads the published generation once more. False: there is no such output, or nothing is published. */
  reloadOutput(name: string): boolean;
  /**
   * Reads the configuration again, as SIGHUP does; undefined where it comes from no file. Resolves with what was wrong:
   * nothing when it was taken.
   */
  readonly reloadConfig: (() => Promise<readonly Failure[]>) | undefined;
  /** What was wrong with the configuration that was refused last; empty when one was taken since. */
  refusedConfig(): readonly Failure[];
  /** Ends the agent as SIGTERM does. */
  readonly stop: () => void;
  /** Called when the agent ends: for what outlives the configurations. */
  atEnd(release: () => void): void;
}
