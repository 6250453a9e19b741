/** Time as an argument: code that decides asks a Clock, so tests decide what time it is. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. For certificates and for people. */
  wallMs(): number;
  /** Milliseconds since some start; never runs backwards. For leases, backoff and timeouts. */
  monoMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts: it never rejects, so callers look at the signal. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `wake` once after `ms` (at most 30 s: longer waits are the timer wheel's); returns how to call it off. */
  after(ms: number, wake: () => void): () => void;
}

/** Longest single timer. A Node timer above 2^31-1 ms fires at once, and short naps notice clock jumps. */
export const MAX_NAP_MS = 30_000;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monoMs: () => performance.now(),
  async sleep(ms, signal) {
    const end = performance.now() + ms;
    while (!signal.aborted && performance.now() < end) {
      await nap(Math.min(MAX_NAP_MS, end - performance.now()), signal);
    }
  },
  after(ms, wake) {
    const timer = setTimeout(wake, Math.min(MAX_NAP_MS, Math.max(0, ms)));
    return () => clearTimeout(timer);
  },
};

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
