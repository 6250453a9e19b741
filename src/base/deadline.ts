import type { Clock } from './clock.ts';

/** Calls `late` once after `ms`, whatever the longest single timer of the clock; returns how to call it off. */
export function deadline(clock: Clock, ms: number, late: () => void): () => void {
  const end = clock.monoMs() + ms;
  let cancel = () => {};
  const arm = () => {
    const left = end - clock.monoMs();
    if (left <= 0) late();
    else cancel = clock.after(left, arm);
  };
  arm();
  return () => cancel();
}
