/** A place where an output's generations go. Owns the generations and the mark of the last one taken up. */
export interface Sink {
  /**
   * To be called once, before anything else: removes what a killed process left behind and answers the number of the
   * published generation, or undefined when there is none.
   * @throws PannierError OUTPUT_NOT_WRITABLE, OUTPUT_SYMLINK, OUTPUT_OCCUPIED, OUTPUT_NOT_TMPFS
   */
  recover(): Promise<Recovered>;
  /**
   * Writes a candidate beside the published generation; `equal` when the bytes, names, modes and owners are those of
   * the published one, and then nothing was written.
   * @throws PannierError OUTPUT_NOT_WRITABLE, OUTPUT_FULL, OUTPUT_SYMLINK, OUTPUT_OCCUPIED, OUTPUT_OWNER; the
   * published generation is untouched.
   */
  stage(files: ReadonlyMap<string, Uint8Array>): Promise<Staged | 'equal'>;
  readonly mark: ReloadMark;
  /**
   * Removes generations that are neither published nor the one before, and were replaced at least 10 s ago. Worth
   * calling after each commit; answers in how many milliseconds the next call has work, undefined when nothing waits.
   * @throws PannierError OUTPUT_NOT_WRITABLE when something could not be removed; publishing goes on regardless.
   */
  sweep(): Promise<number | undefined>;
}

export interface Recovered {
  readonly generation: number | undefined;
  /** How many leftovers were removed. */
  readonly removed: number;
  /** Whether the directory is on tmpfs; undefined where that cannot be told (not Linux). */
  readonly tmpfs: boolean | undefined;
}

export interface Staged {
  /** Absolute directory of the candidate; checks run on it. Empty where generations are kept in memory. */
  readonly dir: string;
  readonly generation: number;
  /**
   * Publishes it with one rename. `first`: nothing was published before, so nobody has read it.
   * @throws PannierError as `stage` does; then the candidate is gone and the published generation untouched.
   */
  commit(): Promise<{ readonly generation: number; readonly first: boolean }>;
  /** Removes a candidate that is not to be published. */
  discard(): Promise<void>;
}

/** A generation that the application has not taken up, and the ids of the steps that are done for it. */
export interface OwedReload {
  readonly generation: number;
  readonly done: readonly string[];
}

/**
 * Kept where the generations are, on disk for files, so that neither equal bytes nor a crash can lose an owed reload.
 */
export interface ReloadMark {
  /** The published generation when it differs from the last one taken up; undefined when nothing is owed. */
  owed(): Promise<OwedReload | undefined>;
  /** Records that the steps with these ids, the first ones in their order, are done for this generation. */
  advance(generation: number, done: readonly string[]): Promise<void>;
  /** Records that this generation was taken up (or needed no reload). */
  settle(generation: number): Promise<void>;
}
