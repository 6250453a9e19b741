import type { Contender } from './contenders.ts';
import type { Stopwatch, Taken } from './stopwatch.ts';

/** Medians of several runs. */
export interface Result {
  readonly median: Taken;
  /** Fastest and slowest, to see how calm the machine was. */
  readonly wallRangeMs: readonly [number, number];
  readonly runs: readonly Taken[];
}

/**
 * Runs the contenders in turns (A B A B …), so that a busy minute of the machine hits all of them. The first turn warms
 * the page cache and is not counted; it also says whether all of them publish the same.
 */
export async function inTurns(watch: Stopwatch, contenders: readonly Contender[], turns: number): Promise<Result[]> {
  const runs = contenders.map((): Taken[] => []);
  for (let turn = 0; turn <= turns; turn++) {
    for (const [at, contender] of contenders.entries()) {
      await contender.clear();
      const taken = await watch.measure(contender.order);
      if (turn > 0) runs[at]?.push(taken);
    }
    if (turn === 0) await compare(contenders);
  }
  return runs.map(summarise);
}

async function compare(contenders: readonly Contender[]): Promise<void> {
  const all = await Promise.all(contenders.map(async ({ published }) => JSON.stringify([...(await published())])));
  if (new Set(all).size > 1)
    throw new Error(`${contenders.map(({ name }) => name).join(', ')} publish different files`);
}

export function summarise(runs: readonly Taken[]): Result {
  const walls = runs.map(({ wallMs }) => wallMs);
  return {
    median: {
      wallMs: median(walls),
      cpuMs: median(runs.map(({ cpuMs }) => cpuMs)),
      peakMiB: median(runs.map(({ peakMiB }) => peakMiB)),
    },
    wallRangeMs: [Math.min(...walls), Math.max(...walls)],
    runs,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = sorted.slice(sorted.length % 2 === 0 ? middle - 1 : middle);
  return sorted.length % 2 === 0 ? (low + high) / 2 : low;
}
