import type { Failure } from '../base/errors.ts';

/** One step that makes the application take a generation up. */
export interface Reload extends ReloadAction {
  /** Equal for steps that do the same, in this process and the next. Letters, digits, `_` and `-`. */
  readonly id: string;
}

/** What a step does. */
export interface ReloadAction {
  readonly kind: string;
  /** Configuration path, for errors and facts. */
  readonly place: string;
  /** `run` ends within this; absent: within a moment. */
  readonly timeoutMs?: number;
  /**
   * Resolves to undefined when the application was told, to the failure otherwise. Never throws.
   * @param isAskedFor somebody wants it although the application may have the generation already.
   */
  run(generation: number, signal: AbortSignal, isAskedFor?: boolean): Promise<Failure | undefined>;
  /**
   * Resolves when what the last `run` failed for has changed, so that another one is worth its while before the backoff
   * is over, or when `signal` aborts. Absent: there is nothing to look at. Never rejects.
   */
  untilChanged?(signal: AbortSignal): Promise<void>;
}

/** Whose generation is taken up. */
export interface ReloadedOutput {
  readonly name: string;
  /** Absolute. */
  readonly dir: string;
}
