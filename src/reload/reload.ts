import type { Failure } from '../base/errors.ts';

/** One step that makes the application take a generation up. */
export interface Reload {
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
}

/** Whose generation is taken up. */
export interface ReloadedOutput {
  readonly name: string;
  /** Absolute. */
  readonly dir: string;
}
