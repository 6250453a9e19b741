import { numbers } from '../numbers.ts';
import { SimAgent } from './sim-agent.ts';
import { SimTime } from './sim-clock.ts';
import { type RequestKind, SimServer } from './sim-server.ts';

const MINUTE = 60_000;

/** What happens to the fleet, in minutes from its start. */
export const TIMELINE = {
  start: [0, 36],
  steady: [36, 56],
  outage: [56, 66],
  recovery: [66, 84],
  revoked: [84, 104],
  restored: [104, 120],
  rollout: [120, 140],
  change: [144, 154],
  end: 154,
} as const;

/** Every agent has two secrets of KV that are polled, and a lease, under one login. */
export const REFRESH_MS = 5 * MINUTE;
export const LOGIN_TTL_S = 3600;
export const LEASE_TTL_S = 3600;

export interface FleetOptions {
  readonly agents: number;
  readonly seed: number;
  /** `requests.startSpread` of each agent. */
  readonly startSpreadMs: number;
  /** `reloadSpread` of each output. */
  readonly reloadSpreadMs: number;
  /** How long the outage lasts, ten minutes at most. Absent: ten. */
  readonly outageMinutes?: number;
  /** How many secrets of KV each agent has, half of them in either mount. Absent: two. */
  readonly polled?: number;
  /** Only the first so many minutes. Absent: the whole timeline. */
  readonly minutes?: number;
  /**
   * Agents that are simulated at once. Agents do not know of each other; they meet in the capacity of the server alone.
   * So a large fleet is simulated in batches, each with its part of the server, and their requests are added up.
   */
  readonly batch?: number;
}

export interface FleetResult {
  readonly agents: number;
  /** What the fleet asks for when all is well, by the intervals of its configuration: requests per second. */
  readonly steadyPerSecond: number;
  /** What the server answers at most, in a second. */
  readonly capacityPerSecond: number;
  readonly bucketMs: number;
  /** Requests per bucket, by kind; those that came while the server was down or full are in `refused` too. */
  readonly requests: Readonly<Record<RequestKind | 'refused', readonly number[]>>;
  /** Reloads of applications per bucket. */
  readonly reloads: readonly number[];
  /** The part of all secrets that were fresh at the end of each minute. */
  readonly fresh: readonly number[];
}

/** Polls, renewals of leases and of logins, each at the middle of its jitter. */
export function steadyPerSecond(agents: number, polled = 2): number {
  const renewals = 1 / (LOGIN_TTL_S * (2 / 3)) + 1 / (LEASE_TTL_S * (2 / 3 - 0.025));
  return agents * (polled * (1000 / REFRESH_MS) + renewals);
}

/** Runs a fleet through the timeline. The same options give the same numbers. */
export async function simulateFleet(options: FleetOptions): Promise<FleetResult> {
  const { agents, batch = 2_500, minutes = TIMELINE.end } = options;
  const steady = steadyPerSecond(agents, options.polled);
  // So many requests fall in a bucket that chance alone moves their number by a few percent.
  const bucketMs = 1000 * ([10, 20, 30, 60, 120].find((seconds) => seconds * steady >= 100) ?? 240);
  const buckets = Math.ceil((minutes * MINUTE) / bucketMs);
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const requests = {
    login: zeros(buckets),
    renewal: zeros(buckets),
    fetch: zeros(buckets),
    other: zeros(buckets),
    refused: zeros(buckets),
  };
  const reloads = zeros(buckets);
  const fresh = zeros(minutes);
  const capacity = 10 * steady;
  for (let first = 0; first < agents; first += batch) {
    const count = Math.min(batch, agents - first);
    await runBatch(
      { ...options, minutes, first, count, perSecond: Math.ceil((capacity * count) / agents) },
      (what, ms) => {
        const list = what === 'reload' ? reloads : requests[what];
        const at = Math.min(list.length - 1, Math.floor(ms / bucketMs));
        list[at] = (list[at] ?? 0) + 1;
      },
      (minute, secrets) => {
        fresh[minute] = (fresh[minute] ?? 0) + secrets / (((options.polled ?? 2) + 1) * agents);
      },
    );
  }
  return { agents, steadyPerSecond: steady, capacityPerSecond: capacity, bucketMs, requests, reloads, fresh };
}

type Note = (what: RequestKind | 'refused' | 'reload', atMs: number) => void;

async function runBatch(
  options: FleetOptions & { minutes: number; first: number; count: number; perSecond: number },
  note: Note,
  noteFresh: (minute: number, secrets: number) => void,
): Promise<void> {
  const { seed, first, count, perSecond, minutes, startSpreadMs, reloadSpreadMs, polled = 2 } = options;
  const { outageMinutes = TIMELINE.outage[1] - TIMELINE.outage[0] } = options;
  const random = numbers(seed + first);
  const time = new SimTime();
  const server = new SimServer({
    ...{ time, random, perSecond, loginTtlS: LOGIN_TTL_S, leaseTtlS: LEASE_TTL_S },
    seen: (kind, isRefused) => {
      note(kind, time.nowMs);
      if (isRefused) note('refused', time.nowMs);
    },
  });
  const reloaded = () => note('reload', time.nowMs);
  const start = (pod: string, spreadMs: number) =>
    new SimAgent({
      ...{ time, server, random, pod, polled, refreshMs: REFRESH_MS, reloadSpreadMs, reloaded },
      startSpreadMs: spreadMs,
    });
  const agents = Array.from({ length: count }, (_, at) => start(`shop-${first + at}`, startSpreadMs));

  const at = (minute: number, does: () => void) => time.after(minute * MINUTE, does);
  at(TIMELINE.outage[0], () => {
    server.isDown = true;
  });
  at(TIMELINE.outage[0] + outageMinutes, () => {
    server.isDown = false;
  });
  at(TIMELINE.revoked[0], () => {
    server.isKvGone = true;
  });
  at(TIMELINE.revoked[1], () => {
    server.isKvGone = false;
  });
  at(TIMELINE.change[0], () => {
    server.version++;
  });
  // Kubernetes replaces pod after pod over the whole time of the rollout.
  const [begins, ends] = TIMELINE.rollout;
  for (const index of agents.keys()) {
    at(begins + ((ends - begins) * (index + random())) / count, () => {
      agents[index]?.end();
      agents[index] = start(`shop-${first + index}-b`, 0);
    });
  }
  for (let minute = 1; minute <= minutes; minute++) {
    await time.run(minute * MINUTE - 1);
    noteFresh(
      minute - 1,
      agents.reduce((sum, agent) => sum + agent.fresh, 0),
    );
  }
  for (const agent of agents) agent.end();
  await time.run(minutes * MINUTE);
}

/** The most requests of all kinds in a second of one bucket, between two minutes. */
export function peakPerSecond(result: FleetResult, [from, to]: readonly [number, number]): number {
  return Math.max(...ratesOf(result).slice(bucketOf(result, from), Math.ceil((to * MINUTE) / result.bucketMs)));
}

export function meanPerSecond(result: FleetResult, [from, to]: readonly [number, number]): number {
  const rates = ratesOf(result).slice(bucketOf(result, from), bucketOf(result, to));
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

/** Requests of all kinds in a second, by bucket. */
export function ratesOf({ requests, bucketMs }: FleetResult): readonly number[] {
  const { login, renewal, fetch, other } = requests;
  return login.map((count, at) => {
    return ((count + (renewal[at] ?? 0) + (fetch[at] ?? 0) + (other[at] ?? 0)) * 1000) / bucketMs;
  });
}

const bucketOf = ({ bucketMs }: FleetResult, minute: number) => Math.floor((minute * MINUTE) / bucketMs);
