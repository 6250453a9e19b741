import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FleetFigures, figuresOf, HELD, tableOf } from './figures.ts';
import { type FleetResult, peakPerSecond, simulateFleet, TIMELINE } from './simulate-fleet.ts';

const options = { agents: 200, seed: 1, startSpreadMs: 600_000, reloadSpreadMs: 120_000 };
const docs = join(import.meta.dirname, '../../docs');

/** With the code of the agent on a simulated clock; `npm run simulate` runs larger fleets and writes docs/fleet. */
describe('a fleet of 200 agents, through a start, an outage, a mount that is gone, a rollout and a change', () => {
  let result: FleetResult;
  let figures: FleetFigures;
  beforeAll(async () => {
    result = await simulateFleet(options);
    figures = figuresOf(result, []);
  }, 120_000);

  it('asks for what its intervals say when all is well', () => {
    expect(figures.steadyMean).toBeGreaterThan(0.85);
    expect(figures.steadyMean).toBeLessThan(1.1);
  });

  it.each(['steady', 'recovery', 'revoked', 'restored', 'rollout', 'change'] as const satisfies typeof HELD)(
    'never asks for more than twice that: %s',
    (phase) => {
      expect(figures.peaks[phase]).toBeLessThanOrEqual(2);
    },
  );

  it('sends no more than three times that to a server that is away', () => {
    expect(figures.peaks.outage).toBeLessThanOrEqual(3);
  });

  it('has every value fresh again ten minutes after the outage, and lost none in it', () => {
    expect(figures.recoveredMinutes).toBeGreaterThan(0);
    expect(figures.recoveredMinutes).toBeLessThanOrEqual(10);
    expect(result.fresh.at(TIMELINE.revoked[0] - 1)).toBeCloseTo(1);
  });

  it('reloads over the whole spread after a change, and not at once', () => {
    const [from, to] = TIMELINE.change;
    const inChange = result.reloads.slice((from * 60_000) / result.bucketMs, (to * 60_000) / result.bucketMs);
    const all = inChange.reduce((sum, count) => sum + count, 0);
    expect(all).toBeGreaterThanOrEqual(options.agents);
    expect(Math.max(...inChange)).toBeLessThan(all / 2);
  });
});

describe('a fleet of agents with 20 secrets each, after an outage of one minute', () => {
  const few = { ...options, agents: 40, polled: 20, outageMinutes: 1, minutes: 66 };
  const [began] = TIMELINE.outage;

  it('has nearly all that failed fresh again in two minutes, and asks for less than twice its steady load', async () => {
    const result = await simulateFleet(few);
    expect(result.fresh[began]).toBeLessThan(0.85);
    expect(result.fresh[began + 2]).toBeGreaterThan(0.95);
    const peak = peakPerSecond(result, [began + 1, began + 10]);
    expect(peak).toBeLessThanOrEqual(2 * result.steadyPerSecond);
  }, 120_000);
});

describe('a fleet that starts in one instant', () => {
  it('asks at once without startSpread, and spread over it with it', async () => {
    const start = async (startSpreadMs: number) =>
      figuresOf(await simulateFleet({ ...options, startSpreadMs, minutes: 36 }), []).peaks.start;
    expect(await start(0)).toBeGreaterThan(8);
    expect(await start(600_000)).toBeLessThan(2.5);
  }, 120_000);
});

describe('docs/fleet.md', () => {
  const fleets = JSON.parse(readFileSync(join(docs, 'fleet/results.json'), 'utf8')) as FleetFigures[];

  it('has the figures of the last run', () => {
    expect(readFileSync(join(docs, 'fleet.md'), 'utf8')).toContain(tableOf(fleets));
  });

  it.each(fleets.map((fleet) => [fleet.agents, fleet] as const))(
    'promises no more than a run of %i agents held',
    (_agents, fleet) => {
      for (const phase of HELD) expect(fleet.peaks[phase]).toBeLessThanOrEqual(2);
    },
  );
});
