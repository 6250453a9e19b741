import { fstatSync, writeSync } from 'node:fs';

const STDERR = 2;

let isKnownTerminal: boolean | undefined;

/**
 * Whether standard error is a terminal. `process.stderr` would know, and making it takes 4 ms. A pipe or a file, which
 * it is nearly everywhere, is no character device, and then not even node:tty is loaded.
 */
export function isTerminal(): boolean {
  isKnownTerminal ??= lookAtStderr();
  return isKnownTerminal;
}

function lookAtStderr(): boolean {
  try {
    return fstatSync(STDERR).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(STDERR);
  } catch {
    return false; // closed
  }
}

/** After a write that a full pipe did not take, it is tried again this much later. */
const FULL_MS = 100;

/**
 * Writes log lines to standard error, each before the call returns: the last line before an exit is there. When the
 * pipe is full it waits, and when nobody reads any more (EPIPE) the lines are dropped from then on. Any other error is
 * thrown, and what was not written comes before the next line.
 * @param write as `writeSync` of node:fs.
 */
export function createStderrWriter(write: (fd: number, bytes: Buffer) => number = writeSync): (line: string) => void {
  let isClosed = false;
  let left: Buffer = Buffer.alloc(0);
  return (line) => {
    if (isClosed) return;
    left = left.length === 0 ? Buffer.from(line) : Buffer.concat([left, Buffer.from(line)]);
    while (left.length > 0) {
      try {
        left = left.subarray(write(STDERR, left));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE') {
          isClosed = true;
          return;
        }
        if (code !== 'EAGAIN' && code !== 'EBUSY') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS);
      }
    }
  };
}
