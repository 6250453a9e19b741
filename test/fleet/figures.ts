import { count } from './draw-fleet.ts';
import { type FleetResult, meanPerSecond, peakPerSecond, ratesOf, TIMELINE } from './simulate-fleet.ts';

/** What a run says about one fleet; `docs/fleet/results.json` is a list of these. */
export interface FleetFigures {
  readonly agents: number;
  readonly steadyPerSecond: number;
  readonly bucketS: number;
  /** The most requests in a second of one bucket, as a multiple of the steady load, by phase. */
  readonly peaks: Readonly<Record<Phase, number>>;
  readonly steadyMean: number;
  /** Minutes from the end of the outage until 99 % of the secrets were fresh again. */
  readonly recoveredMinutes: number;
  /** The peak of a start, and how many minutes until 99 % of the secrets had a value, by `startSpread` in seconds. */
  readonly starts: readonly { readonly spreadS: number; readonly peak: number; readonly minutes: number }[];
  /** Reloads per second at most, after a value of all had changed. */
  readonly reloadPeak: number;
}

export const PHASES = ['start', 'steady', 'outage', 'recovery', 'revoked', 'restored', 'rollout', 'change'] as const;
export type Phase = (typeof PHASES)[number];

/** The phases whose peak is held to twice the steady load. */
export const HELD: readonly Phase[] = ['steady', 'recovery', 'revoked', 'restored', 'rollout', 'change'];

export function figuresOf(result: FleetResult, starts: readonly (readonly [number, FleetResult])[]): FleetFigures {
  const { agents, steadyPerSecond, bucketMs, fresh, reloads } = result;
  const times = (rate: number) => Math.round((100 * rate) / steadyPerSecond) / 100;
  const isThere = (share: number) => share >= 0.99;
  const [, ends] = TIMELINE.outage;
  return {
    agents,
    steadyPerSecond: Math.round(steadyPerSecond * 100) / 100,
    bucketS: bucketMs / 1000,
    peaks: Object.fromEntries(PHASES.map((phase) => [phase, times(peakPerSecond(result, TIMELINE[phase]))])) as Record<
      Phase,
      number
    >,
    steadyMean: times(meanPerSecond(result, TIMELINE.steady)),
    recoveredMinutes: fresh.slice(ends).findIndex(isThere) + 1,
    starts: starts.map(([spreadS, start]) => ({
      spreadS,
      peak: times(Math.max(...ratesOf(start))),
      minutes: start.fresh.findIndex(isThere) + 1,
    })),
    reloadPeak: Math.round((Math.max(...reloads) * 10_000) / bucketMs) / 10,
  };
}

/** The table of docs/fleet.md. */
export function tableOf(fleets: readonly FleetFigures[]): string {
  const row = (name: string, cell: (fleet: FleetFigures) => string) => `| ${name} | ${fleets.map(cell).join(' | ')} |`;
  const times = (phase: Phase) => (fleet: FleetFigures) => `${fleet.peaks[phase].toFixed(2)} ×`;
  const start = (spreadS: number, name: string) =>
    row(name, ({ starts }) => {
      const found = starts.find((one) => one.spreadS === spreadS);
      return found === undefined ? '' : `${found.peak.toFixed(1)} ×, all fetched in ${found.minutes} min`;
    });
  return [
    row('agents', ({ agents }) => `**${count(agents)}**`),
    `| --- |${' --- |'.repeat(fleets.length)}`,
    row('steady load, requests per second', ({ steadyPerSecond }) => count(Math.round(steadyPerSecond * 10) / 10)),
    row('each point is the mean of', ({ bucketS }) => `${bucketS} s`),
    row('steady: mean and peak', (fleet) => `${fleet.steadyMean.toFixed(2)} ×, ${fleet.peaks.steady.toFixed(2)} ×`),
    row('ten minutes of outage: attempts at a server that is away', times('outage')),
    row('recovery', times('recovery')),
    row('all fresh again after', ({ recoveredMinutes }) => `${recoveredMinutes} min`),
    row('one of two KV mounts is removed', times('revoked')),
    row('it comes back', times('restored')),
    row('all pods are replaced within 20 minutes', times('rollout')),
    row('a value of all changes', times('change')),
    start(0, 'start in one instant, no `startSpread`'),
    start(30, 'with `startSpread: 30s`'),
    start(600, 'with `startSpread: 10m`'),
    row('reloads per second after a change, with `reloadSpread: 2m`', ({ reloadPeak }) => count(reloadPeak)),
  ].join('\n');
}
