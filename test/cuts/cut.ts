/** A way to break a promise in one place of the code, and the test that must notice it. */
export interface Cut {
  /** Id of a promise of test/promises/. */
  readonly promise: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Words that only one of the promise's tests has in its title or row; absent: the first of them. */
  readonly by?: string;
  /** The test takes many seconds: only with --slow. */
  readonly slow?: true;
}

/** Cuts in one file. */
export function cutIn(file: string) {
  return (promise: string, find: string, replace: string, more: Pick<Cut, 'by' | 'slow'> = {}): Cut => {
    return { promise, file, find, replace, ...more };
  };
}
