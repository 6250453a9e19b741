import type { Failure } from '../base/errors.ts';

/** One step that makes the application take a generation up. */
export interface Reload extends ReloadAction {
  /** Equal for steps that do the same, also in a later process. Letters, digits, `_` and `-`. */
  readonly id: string;
}

/** What a step does. */
export interface ReloadAction {
  /** The kind of step, for facts: `signal`, `http`, `command`, `restart`. */
  readonly kind: string;
  /** Configuration path, for errors and facts. */
  readonly place: string;
  /** How long `run` may take; absent when it ends at once. */
  readonly timeoutMs?: number;
  /**
   * Resolves to undefined when the step is done, to the failure otherwise. Never throws.
   * @param generation the one that the application must take up.
   * @param signal aborts when the agent stops; the failure is then CANCELLED.
   * @param isAskedFor a client of the agent asked for the step, although the application may have taken the generation
   * up already. Absent: false.
   */
  run(generation: number, signal: AbortSignal, isAskedFor?: boolean): Promise<Failure | undefined>;
  /**
   * Resolves when the file that the last `run` failed for has changed, so that another `run` may succeed before the
   * backoff is over, or when `signal` aborts. Absent: the step depends on no file. Never rejects.
   */
  untilChanged?(signal: AbortSignal): Promise<void>;
}

/** The output whose generation is taken up. */
export interface ReloadedOutput {
  readonly name: string;
  /** The output's directory, an absolute path. */
  readonly dir: string;
}
