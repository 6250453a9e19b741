import type * as z from 'zod/mini';
import type { ConfigEntry } from '../load/entry.ts';
import { unfilledBelow } from '../load/source-file.ts';
import { type ConfigPath, pathKey } from '../place.ts';
import type { FoundProblem, Problems, ResolveOptions } from '../problems/problems.ts';
import { standInsFor } from './stand-ins.ts';

/**
 * Makes something of an entry that does not fit its schema, with stand-ins for its wrong parts, and adds the problems
 * that all of the stand-ins have. Those are true of the entry itself.
 */
export function makeOfRest<T>(
  schema: z.core.$ZodType,
  entry: ConfigEntry,
  problems: Problems,
  make: (shape: never, problems: Problems) => T | undefined,
  { raw, spare = [] }: ResolveOptions,
): T | undefined {
  const { file, path: base } = entry;
  const unfilled = unfilledBelow(file, base).map((path) => path.slice(base.length));
  const tries = standInsFor(schema, raw, unfilled).map(({ shape, lost }) => {
    const trial = problems.fork({ isCautious: true });
    const made = make(shape as never, trial);
    const isMadeUp = ({ spot }: FoundProblem) => lost.some((path) => isBelow(spot?.path, [...base, ...path]));
    return { lost, made, found: trial.found.filter((problem) => !isMadeUp(problem)) };
  });
  const [first, ...others] = tries;
  if (first === undefined) return undefined;
  const seenByOthers = others.map(({ found }) => new Set(found.map(keyOf)));
  for (const problem of first.found) {
    if (seenByOthers.every((keys) => keys.has(keyOf(problem)))) problems.take(problem);
  }
  return first.lost.every(([key]) => spare.includes(String(key))) ? first.made : undefined;
}

/** Whether a problem is about a value that was made up, or about a part of it. */
function isBelow(path: ConfigPath | undefined, lost: ConfigPath): boolean {
  return path !== undefined && lost.every((step, index) => path[index] === step);
}

function keyOf({ failed, spot }: FoundProblem): string {
  return JSON.stringify([failed.code, failed.place, failed.seen, spot === undefined ? '' : pathKey(spot.path)]);
}
