/** Time as an argument: code that needs the time asks a Clock, so that tests can set it. */
export interface Clock {
  /** Milliseconds since the Unix epoch; the value can jump. For certificates, and for times that people read. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; never decreases. For leases, backoff and timeouts. */
  monoMs(): number;
  /** Resolves after `ms`, or as soon as `signal` aborts. It never rejects, so the caller checks the signal. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /**
   * Calls `wake` once after `ms`, or after 30 s if that is less (`deadline` waits longer); returns how to cancel it.
   */
  after(ms: number, wake: () => void): () => void;
}

/** The longest single timer. A Node timer above 2^31-1 ms fires at once, and short timers notice when a clock jumps. */
export const MAX_NAP_MS = 30_000;

/** The clock of the machine; tests use a fake one. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monoMs,
  async sleep(ms, signal) {
    const end = monoMs() + ms;
    while (!signal.aborted && monoMs() < end) {
      await nap(Math.min(MAX_NAP_MS, end - monoMs()), signal);
    }
  },
  after(ms, wake) {
    const timer = setTimeout(wake, Math.min(MAX_NAP_MS, Math.max(0, ms)));
    return () => clearTimeout(timer);
  },
};

/** Not by `performance`, whose module takes 1.5 ms to load. */
function monoMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

function nap(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(1, Math.ceil(ms)));
    signal.addEventListener('abort', done, { once: true });
  });
}
