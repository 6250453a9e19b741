import type { PannierError } from '../../base/errors.ts';

/** What takes lines. No call waits, and lines go out in the order in which they were given. */
export interface LineTarget {
  /**
   * Opens it, or opens it anew. What was written in part is to be written whole after that.
   * @throws PannierError.
   */
  open(): Promise<void>;
  /**
   * How many of these bytes were taken. 0: none now, and `onReady` is called when to ask again, with the same bytes.
   * @throws PannierError when it takes none until it is opened anew.
   */
  write(bytes: Buffer): number;
  close(): void;
}

export interface TargetDeps {
  /** There may be room again. */
  readonly onReady: () => void;
  /** It has ended by itself, and takes nothing until it is opened anew. */
  readonly onBroken: (why: PannierError) => void;
  /** Calls `wake` once after so many milliseconds; returns how to cancel it. */
  readonly after: (ms: number, wake: () => void) => () => void;
}
