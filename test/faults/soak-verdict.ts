/** What a soak has shown: figures, and what is wrong with them. */
import { median } from '../bench/resident.ts';
import type { Seen } from './reader.ts';
import type { PlayedFault } from './soak-faults.ts';

export interface Look {
  readonly atMs: number;
  readonly residentMiB: number;
  readonly descriptors: number;
  readonly cpuMsPerSecond: number;
}

export interface SoakFigures {
  readonly seconds: number;
  readonly values: number;
  /** Values that were the newest for a second while all was well. */
  readonly judged: number;
  /** Those of them that a reader did not see. */
  readonly missed: number;
  readonly faults: number;
  readonly kinds: number;
  readonly fileReads: number;
  readonly apiReads: number;
  readonly mixed: number;
  readonly reloads: number;
  readonly requests: number;
  readonly residentMiB: { readonly early: number; readonly late: number };
  readonly descriptors: { readonly early: number; readonly late: number };
  readonly cpuMsPerSecond: number;
}

interface Facts {
  readonly seconds: number;
  readonly warmMs: number;
  readonly looks: readonly Look[];
  readonly seen: readonly Seen[];
  readonly last: number;
  readonly judged: number;
  readonly missed: readonly number[];
  readonly faults: readonly PlayedFault[];
  readonly reloads: number;
  readonly requests: number;
  /** How often the database refused the published user. */
  readonly refusedUsers: number;
  /** Database users that exist at the end. */
  readonly users: number;
  readonly output: string;
}

const GROWTH = 1.1;
/** A kept connection comes and goes. */
const DESCRIPTORS = 6;
/** How long figures are taken for a comparison, at most. */
const SPAN_MS = 120_000;
/** One is published, one may be about to end. */
const USERS = 8;

export function verdict(facts: Facts): {
  readonly figures: SoakFigures;
  readonly lines: readonly string[];
  readonly problems: readonly string[];
} {
  const { looks, seen, warmMs } = facts;
  const spanMs = Math.min(SPAN_MS, (facts.seconds * 1_000 - warmMs) / 3);
  const endMs = looks.at(-1)?.atMs ?? 0;
  const early = looks.filter(({ atMs }) => atMs >= warmMs && atMs < warmMs + spanMs);
  const late = looks.filter(({ atMs }) => atMs > endMs - spanMs);
  const both = (key: 'residentMiB' | 'descriptors') => ({
    early: median(early.map((look) => look[key])),
    late: median(late.map((look) => look[key])),
  });
  const [files, ...apis] = seen;
  const figures: SoakFigures = {
    seconds: facts.seconds,
    values: facts.last,
    judged: facts.judged,
    missed: facts.missed.length,
    faults: facts.faults.length,
    kinds: new Set(facts.faults.map(({ name }) => name)).size,
    fileReads: files?.reads ?? 0,
    apiReads: apis.reduce((sum, { reads }) => sum + reads, 0),
    mixed: seen.reduce((sum, { missing, mixed, broken, back }) => sum + missing + mixed + broken + back, 0),
    reloads: facts.reloads,
    requests: facts.requests,
    residentMiB: both('residentMiB'),
    descriptors: both('descriptors'),
    cpuMsPerSecond: median(looks.map(({ cpuMsPerSecond }) => cpuMsPerSecond)),
  };
  const { residentMiB: rss, descriptors } = figures;
  const problems = [
    ...seen.flatMap(({ missing, mixed, broken, back, last }, at) =>
      missing + mixed + broken + back > 0 || last !== facts.last
        ? [`reader ${at}: ${JSON.stringify({ missing, mixed, broken, back, last })}`]
        : [],
    ),
    ...(facts.missed.length > 0 ? [`missed ${facts.missed.slice(0, 10)}`] : []),
    ...(rss.late > rss.early * GROWTH ? ['memory grew'] : []),
    ...(descriptors.late > descriptors.early + DESCRIPTORS ? ['descriptors grew'] : []),
    ...(facts.refusedUsers > 0 ? [`the database refused the published user ${facts.refusedUsers} times`] : []),
    ...(facts.users > USERS ? [`${facts.users} database users exist`] : []),
    ...(/MaxListeners|task-crashed/.exec(facts.output)?.slice(0, 1) ?? []),
  ];
  const lines = Object.entries(figures).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return { figures, lines: [...lines, `database users at the end: ${facts.users}`], problems };
}

/** A value that is the newest one for this long, without a fault, has to be seen. */
const LONG_ENOUGH_MS = 900;

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The values that readers have to see: those that were the newest for long enough while no fault was played, the
 * machine had time, and the secret was fresh. In a fault the backend gives nothing, and after it a retry has to come
 * round.
 */
export function judgedValues(
  written: readonly { readonly n: number; readonly atMs: number }[],
  states: readonly { readonly isFresh: boolean; readonly atMs: number }[],
  trouble: readonly Span[],
): readonly number[] {
  return written.slice(0, -1).flatMap(({ n, atMs }, at) => {
    const untilMs = written[at + 1]?.atMs ?? atMs;
    if (untilMs - atMs < LONG_ENOUGH_MS) return [];
    if (trouble.some(({ fromMs, toMs }) => fromMs < untilMs && toMs > atMs)) return [];
    const before = states.findLast((state) => state.atMs <= atMs);
    if (before?.isFresh === false || states.some((state) => state.atMs > atMs && state.atMs < untilMs)) return [];
    return [n];
  });
}
