/**
 * How soon the secrets of a fleet are fresh again after an outage, by its length and by the secrets of an agent: the
 * table "When it answers again" of docs/fleet.md. `node test/fleet/recovery.ts`, about a minute.
 */
import { peakPerSecond, simulateFleet, TIMELINE } from './simulate-fleet.ts';

const common = { agents: 200, seed: 1, startSpreadMs: 600_000, reloadSpreadMs: 120_000, minutes: 84 };
for (const outageMinutes of [1, 10]) {
  for (const polled of [2, 20]) {
    const result = await simulateFleet({ ...common, polled, outageMinutes });
    const ends = TIMELINE.outage[0] + outageMinutes;
    const [failed = 0, ...later] = result.fresh.slice(ends - 1).map((share) => 1 - share);
    // Half of those of the first minute, since the figures are those of whole minutes.
    const minutes = (failed / 2 + later.reduce((sum, share) => sum + share, 0)) / failed;
    const bucketMinutes = result.bucketMs / 60_000;
    const from = Math.ceil(ends / bucketMinutes) * bucketMinutes;
    const peak = peakPerSecond(result, [from, TIMELINE.recovery[1]]) / result.steadyPerSecond;
    console.log(
      `outage of ${outageMinutes} min, ${polled + 1} secrets: ${(100 * failed).toFixed(0)} % failed,`,
      `fresh again after ${minutes.toFixed(1)} min in the mean; peak ${peak.toFixed(2)} ×`,
    );
  }
}
