/**
 * How long one call to the file system may take. A disk answers in milliseconds, a hanging network file system never.
 */
export const FILE_CALL_MS = 5_000;

/**
 * How many calls run at once. Node has four threads for files and name look-ups together, and a call that hangs keeps
 * its thread. One thread is left free, so that publishing and name look-ups go on.
 */
const MAX_AT_ONCE = 3;

/** Says why a file was not read, by a code like one of a system call. It holds nothing of the file. */
export class FileCallError extends Error {
  readonly code: 'ETIMEDOUT' | 'EFBIG' | 'EFTYPE' | 'EISDIR';
  /** The same in words, where there is more to say than the code does: `has 2000000 bytes; the limit is 1 MiB`. */
  readonly seen: string | undefined;

  constructor(code: FileCallError['code'], seen?: string) {
    super(code);
    this.code = code;
    this.seen = seen;
  }

  /** @param bytes the size of the file; absent: a pipe or a device, whose size is not known. */
  static tooLarge(maxBytes: number, bytes?: number): FileCallError {
    const limit = `${maxBytes / 2 ** 20} MiB`;
    const seen =
      bytes === undefined ? `has more than ${limit}, the limit` : `has ${bytes} bytes; the limit is ${limit}`;
    return new FileCallError('EFBIG', seen);
  }
}

/** A call that waits for others to end. */
interface Turn {
  readonly path: string;
  readonly begin: () => void;
  readonly refuse: (error: unknown) => void;
}

let running = 0;
let hung = 0;
const waiting = new Set<Turn>();
const hungPaths = new Set<string>();

/**
 * Runs file system calls about one path that another user can replace, or that may lie on a file system which hangs.
 * The promise settles in time, whatever happens to the calls; they keep their thread until the system ends them. While
 * a call hangs, further calls for the same path fail at once, and while `MAX_AT_ONCE` calls hang, all do.
 * @param work must release what it acquires: after a time-out its result is ignored.
 * @throws FileCallError ETIMEDOUT, the signal's reason, or what `work` throws.
 */
export async function fileCall<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const turn = { path, begin: () => begin(path, () => work().then(resolve, reject), reject), refuse: reject };
  const abort = () => {
    waiting.delete(turn);
    reject(signal?.reason);
  };
  signal?.addEventListener('abort', abort, { once: true });
  if (hungPaths.has(path) || hung >= MAX_AT_ONCE) reject(new FileCallError('ETIMEDOUT'));
  else if (running < MAX_AT_ONCE) turn.begin();
  else waiting.add(turn);
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function begin(path: string, work: () => Promise<unknown>, refuse: (error: unknown) => void): void {
  running++;
  let isHung = false;
  const timer = setTimeout(() => {
    isHung = true;
    hung++;
    hungPaths.add(path);
    refuse(new FileCallError('ETIMEDOUT'));
    for (const turn of waiting) if (hung >= MAX_AT_ONCE || turn.path === path) drop(turn);
  }, FILE_CALL_MS);
  void work().finally(() => {
    clearTimeout(timer);
    running--;
    if (isHung) {
      hung--;
      hungPaths.delete(path);
    }
    const [next] = waiting;
    if (next === undefined) return;
    waiting.delete(next);
    next.begin();
  });
}

function drop(turn: Turn): void {
  waiting.delete(turn);
  turn.refuse(new FileCallError('ETIMEDOUT'));
}
