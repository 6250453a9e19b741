import type { Clock } from './clock.ts';

/** Calls `expire` once after `ms`, also when that is longer than one timer of the clock; returns how to cancel it. */
export function deadline(clock: Clock, ms: number, expire: () => void): () => void {
  const end = clock.monoMs() + ms;
  let cancel = () => {};
  const arm = () => {
    const left = end - clock.monoMs();
    if (left <= 0) expire();
    else cancel = clock.after(left, arm);
  };
  arm();
  return () => cancel();
}
