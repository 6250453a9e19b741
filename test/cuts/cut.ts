/** A change of the code that breaks a promise, and the test that must fail then. */
export interface Cut {
  /** Id of a promise of test/promises/. */
  readonly promise: string;
  readonly file: string;
  /** The text to replace; it must occur exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** A part of the title or row of the promise's test that must fail; absent: the promise's first test. */
  readonly by?: string;
  /** The test takes many seconds, so the cut is made only with --slow. */
  readonly slow?: true;
}

/** A function that makes cuts in one file. */
export function cutIn(file: string) {
  return (promise: string, find: string, replace: string, more: Pick<Cut, 'by' | 'slow'> = {}): Cut => {
    return { promise, file, find, replace, ...more };
  };
}
