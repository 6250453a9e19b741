const stopsOfSignal = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `stop` once when `signal` aborts, or at once when it has aborted already; returns how to cancel that.
 *
 * One signal often ends thousands of calls (all those of `init`), and an EventTarget searches its whole list of
 * listeners to add or remove one. So each signal gets a single listener here, and the calls are kept in a Set.
 */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  if (signal.aborted) {
    stop();
    return () => {};
  }
  let stops = stopsOfSignal.get(signal);
  if (stops === undefined) {
    const all = new Set<() => void>();
    stops = all;
    stopsOfSignal.set(signal, all);
    signal.addEventListener('abort', () => callAll(all), { once: true });
  }
  const own = stops;
  const entry = () => stop();
  own.add(entry);
  return () => void own.delete(entry);
}

function callAll(stops: Set<() => void>): void {
  for (const stop of [...stops]) {
    if (stops.delete(stop)) stop();
  }
}
