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

/** The longest timer of `after`: short ones notice when a clock jumps. */
export const MAX_NAP_MS = 30_000;

/** The longest timer of Node; a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A timer may fire this much early. */
const EARLY_MS = 2;

const loadedMs = machineMs();

/** The clock of the machine; tests use a fake one. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monoMs,
  async sleep(ms, signal) {
    const end = monoMs() + ms;
    while (!signal.aborted && monoMs() < end) {
      await nap(Math.min(MAX_TIMER_MS, end - monoMs()), signal);
    }
  },
  after(ms, wake) {
    const timer = setTimeout(wake, ms > MAX_NAP_MS ? napEndMs(monoMs()) - monoMs() : Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/**
 * Since this module was loaded: agents on one machine do not wait for the same moments. Not by `performance`, whose
 * module takes 1.5 ms to load.
 */
function monoMs(): number {
  return machineMs() - loadedMs;
}

function machineMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

/**
 * When a nap that begins now ends at the latest: at a multiple of 30 s. All long waits wake at the same moments, so an
 * agent at rest wakes once for all.
 */
export function napEndMs(monoMs: number): number {
  return (Math.floor((monoMs + EARLY_MS) / MAX_NAP_MS) + 1) * MAX_NAP_MS;
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
