const listening = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `stop` once when `signal` aborts, at once when it has already; returns how to call it off.
 *
 * One signal often ends thousands of calls (all of `init`), and an EventTarget walks its whole list of listeners to add
 * or remove one. So each signal gets a single listener here, and the calls stand in a Set.
 */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  if (signal.aborted) {
    stop();
    return () => {};
  }
  let stops = listening.get(signal);
  if (stops === undefined) {
    const all = new Set<() => void>();
    stops = all;
    listening.set(signal, all);
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
