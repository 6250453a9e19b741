/** A disk answers in milliseconds, a network file system that hangs never does. */
export const FILE_CALL_MS = 5_000;

/**
 * Node has four threads for files and name look-ups together. A call that hangs keeps its thread, so one of them is
 * never used here: publishing and look-ups go on.
 */
const MAX_AT_ONCE = 3;

/** Why a file was not read, with a code like that of a system call, and nothing of the file. */
export class FileCallError extends Error {
  readonly code: 'ETIMEDOUT' | 'EFBIG' | 'EFTYPE' | 'EISDIR';

  constructor(code: FileCallError['code']) {
    super(code);
    this.code = code;
  }
}

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
 * Makes calls about one path that somebody else can replace, or that may lie on a file system which hangs. The caller
 * is answered in time, whatever becomes of the calls; they hold their thread until the system lets go of them. While
 * they do, the same path is not asked again, and when too many hang no other is.
 * @param work must end by itself what it begins: nobody waits for it after a time-out.
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
