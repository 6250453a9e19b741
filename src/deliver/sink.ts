import type { Made } from './output-state.ts';

/** A place where an output's generations go. Owns the generations and the mark of the last one taken up. */
export interface Sink {
  /**
   * Removes what a killed process left behind, and finds the published generation. Call it once, before anything else.
   * @throws PannierError OUTPUT_NOT_WRITABLE, OUTPUT_SYMLINK, OUTPUT_OCCUPIED, OUTPUT_NOT_TMPFS
   */
  recover(): Promise<Recovered>;
  /**
   * Writes a candidate beside the published generation. When bytes, names, modes and owners are those of the published
   * one it writes nothing and answers `equal`; when they are those of the generation that is held back, `held`.
   * @throws PannierError OUTPUT_NOT_WRITABLE, OUTPUT_FULL, OUTPUT_SYMLINK, OUTPUT_OCCUPIED, OUTPUT_OWNER; the
   * published generation is untouched.
   */
  stage(files: ReadonlyMap<string, Uint8Array>): Promise<Staged | 'equal' | 'held'>;
  /**
   * An earlier generation and its files; undefined: it is not there.
   * @param generation which one; absent: the one before the published one, the one that is held back left out.
   * @throws PannierError OUTPUT_NOT_READABLE.
   */
  earlier(generation?: number): Promise<EarlierGeneration | undefined>;
  /** The generations that can be gone back to, ascending. @throws PannierError OUTPUT_NOT_READABLE. */
  kept(): Promise<readonly number[]>;
  /**
   * Holds a generation back, also in later processes: `stage` answers `held` for its files, and it stays for as long.
   * There is one at most. Undefined: none is held back any more.
   * @throws PannierError OUTPUT_NOT_WRITABLE, OUTPUT_FULL.
   */
  hold(generation: number | undefined): Promise<void>;
  /** Which generation the application has taken up. */
  readonly mark: ReloadMark;
  /**
   * Whether something is kept for the next process: what `recover` found, or `keep` wrote. Absent: this sink keeps
   * nothing.
   */
  readonly hasKept?: boolean;
  /**
   * Keeps these bytes beside the generations, readable by the agent alone; undefined: nothing any more. Call it after a
   * commit. @throws PannierError as `stage` does.
   */
  keep?(bytes: Uint8Array | undefined): Promise<void>;
  /** Absent: no other process can change what is published. The same object at each call; it is loaded at the first. */
  drift?(): Promise<DriftLook>;
  /**
   * Removes generations that are neither published nor to be kept, and were replaced at least 10 s ago. Call it
   * after each commit but the first of an empty directory. Answers in how many milliseconds a further call has work;
   * undefined: nothing waits.
   * @throws PannierError OUTPUT_NOT_WRITABLE when something could not be removed; publishing goes on regardless.
   */
  sweep(): Promise<number | undefined>;
}

/** Looks whether what is published still is what was published. */
export interface DriftLook {
  /**
   * Remembers what is published now: keyed digests of the bytes, never the bytes. Call it after a commit, and after
   * `stage` answered `equal`.
   */
  remember(files: ReadonlyMap<string, Uint8Array>): Promise<void>;
  /**
   * How what is there differs from what was published; empty: it does not, or nothing is remembered.
   * @throws PannierError OUTPUT_NOT_READABLE.
   */
  look(): Promise<readonly Difference[]>;
  /**
   * Calls `changed` when a look may find something else than the last one, where the system tells of changes. There is
   * one watch at most; it begins with the next look.
   */
  watch(changed: () => void): Disposable;
  /**
   * The generation before, if its files are to the last byte what is remembered, as after a rollback;
   * undefined: there are none.
   * @throws PannierError OUTPUT_NOT_READABLE.
   */
  spare(): Promise<EarlierGeneration | undefined>;
  /**
   * Notes beside the generations what each is made of, for the next process. Those that are gone are left out.
   * @param made by generation, each with the identity of its configuration.
   * @throws PannierError as `stage` does.
   */
  note(made: ReadonlyMap<number, Made>): Promise<void>;
  /**
   * What an earlier process noted, of the generations whose files nothing has touched since. A note that another user
   * could have written says nothing.
   */
  noted(): Promise<ReadonlyMap<number, Made>>;
}

/** One difference between what is there and what was published. */
export interface Difference {
  /** `access`: only a mode or an owner. `content`: readers may have met other bytes, or none. */
  readonly of: 'access' | 'content';
  /** For people: names the file, and holds nothing of what is in it. */
  readonly seen: string;
}

export interface EarlierGeneration {
  readonly generation: number;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface Recovered {
  /** The published generation; undefined: there is none. */
  readonly generation: number | undefined;
  /** The generation that is held back; absent: none is. */
  readonly held?: number;
  /** How many leftovers were removed. */
  readonly removed: number;
  /** Whether the directory is on tmpfs; undefined where this cannot be determined (not Linux). */
  readonly tmpfs: boolean | undefined;
}

export interface Staged {
  /** Absolute directory of the candidate; checks run on it. Empty where generations are kept in memory. */
  readonly dir: string;
  readonly generation: number;
  /**
   * Publishes the candidate with one rename. `first`: nothing was published before, so no application has read a
   * generation yet.
   * @throws PannierError as `stage` does; then the candidate is gone and the published generation untouched.
   */
  commit(): Promise<{ readonly generation: number; readonly first: boolean }>;
  /**
   * Whether the candidate still is what was staged, to the last byte, mode and owner: what looked at it may have
   * changed it, or removed it.
   * @throws PannierError OUTPUT_NOT_WRITABLE.
   */
  isIntact(): Promise<boolean>;
  /** Removes the candidate instead of publishing it; does nothing when it is gone. */
  discard(): Promise<void>;
}

/** A generation that the application has not taken up, and the ids of the steps that are done for it. */
export interface OwedReload {
  readonly generation: number;
  readonly done: readonly string[];
}

/**
 * The record of the generation that the application has taken up. It is kept beside the generations (on disk for
 * files), so that neither equal bytes nor a crash can lose an owed reload.
 */
export interface ReloadMark {
  /** The published generation when it differs from the last one taken up; undefined when nothing is owed. */
  owed(): Promise<OwedReload | undefined>;
  /** Records that the steps with these ids, the first ones in their order, are done for this generation. */
  advance(generation: number, done: readonly string[]): Promise<void>;
  /** Records that this generation was taken up (or needed no reload). */
  settle(generation: number): Promise<void>;
}
