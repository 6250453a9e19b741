import type { LoginView } from '../backend/login-view.ts';
import type { Clock } from '../base/clock.ts';
import type { Failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { Config } from '../config/config.ts';
import type { OutputState } from '../deliver/output-state.ts';
import type { SecretEntry } from '../lease/snapshot.ts';

/** What health and metrics see of a running agent; the view of `agent/` is one. Nothing of it is changed here. */
export interface Observed {
  readonly clock: Clock;
  readonly version: string;
  readonly startedWallMs: number;
  /** The first configuration is in place: what follows knows of everything in it. */
  isApplied(): boolean;
  plan(): { readonly config: Config };
  /** Every secret that is wanted now, those of computed paths too: their names have a space in them. */
  wanted(): Iterable<string>;
  /** Names of the secrets by computed paths, by the output that needs them. */
  computed(): ReadonlyMap<string, { keys(): Iterable<string> }>;
  entryOf(name: string): SecretEntry | undefined;
  /** Why a secret that has no entry yet has none. */
  reasonMissing(name: string): Failure;
  nextMonoMs(name: string): number | undefined;
  endsMonoMs(name: string): number | undefined;
  oldestAttempts(): ReadonlyMap<string, number>;
  outputs(): ReadonlyMap<string, OutputState>;
  outputsDue(): ReadonlyMap<string, number>;
  backends(): ReadonlyMap<string, { login?(): LoginView; trouble?(): Failure | undefined }>;
  listeners(): readonly {
    readonly service: string;
    readonly where: string;
    readonly listener: { readonly connections: number; readonly answered: ReadonlyMap<number, number> };
  }[];
  onProgress(heard: (output?: string) => void): Disposable;
  onFact(heard: Emit): Disposable;
  lateMs(): number;
}
