import { describe, expect, it } from 'vitest';
import { numbers } from '../numbers.ts';
import { SimAgent } from './sim-agent.ts';
import { SimTime } from './sim-clock.ts';
import { SimServer } from './sim-server.ts';

const MINUTE = 60_000;
const POLLED = 40;

interface Options {
  readonly polled?: number;
  readonly oneMount?: boolean;
  readonly refreshMs?: number;
}

/** An agent with secrets of KV and a lease that is not due for hours, after three rounds of polls. */
async function world({ polled = POLLED, oneMount = false, refreshMs = 5 * MINUTE }: Options) {
  const time = new SimTime();
  const random = numbers(7);
  const asked: string[] = [];
  const server = new SimServer({
    ...{ time, random, perSecond: 1_000, loginTtlS: 36_000, leaseTtlS: 36_000 },
    seen: (_kind, _refused, path) => asked.push(path),
  });
  const agent = new SimAgent({
    ...{ time, server, random, pod: 'shop-0', polled, oneMount, refreshMs },
    ...{ startSpreadMs: 0, reloadSpreadMs: 0, reloaded: () => {} },
  });
  /** @returns how many requests came, of those with this path. */
  const pass = async (minutes: number, path = /./) => {
    asked.length = 0;
    await time.run(time.nowMs + minutes * MINUTE);
    return asked.filter((one) => path.test(one)).length;
  };
  // The first fetches load modules, for which simulated time does not wait.
  while (agent.fresh <= polled) await pass(0.01);
  await pass((3 * refreshMs) / MINUTE);
  return { server, agent, pass };
}

describe('an agent with a lease that is not due, whose other secrets are in one mount', () => {
  it.each(['hang', 'unavailable'] as const)(
    'opens the circuit in an outage (%s), and brings forward what failed when it is over',
    async (is) => {
      const { server, agent, pass } = await world({ oneMount: true });
      server.trouble = { paths: /./, is };
      expect(await pass(1)).toBeLessThan(40);
      expect(agent.circuit).not.toBe('closed');
      expect(await pass(9)).toBeLessThan(40);
      server.trouble = undefined;
      await pass(4);
      expect([agent.fresh, agent.circuit]).toEqual([POLLED + 1, 'closed']);
      agent.end();
    },
  );
});

describe('an agent whose secrets are in two mounts, of which one fails', () => {
  it.each(['hang', 'unavailable'] as const)('keeps all of the other one fresh (%s)', async (is) => {
    for (const polled of [3, POLLED]) {
      const { server, agent, pass } = await world({ polled });
      server.trouble = { paths: /^\/v1\/secret\//, is };
      for (let minute = 0; minute < 60; minute++) {
        await pass(1);
        expect(agent.fresh).toBeGreaterThanOrEqual(1 + Math.floor(polled / 2));
        if (minute >= 10) expect(agent.circuit).toBe('closed');
      }
      agent.end();
    }
  });

  it('asks for all of the other one in time while hundreds of requests hang', async () => {
    const { server, agent, pass } = await world({ polled: 700, refreshMs: 30_000 });
    const team = /^\/v1\/team\//;
    const usual = await pass(3, team);
    server.trouble = { paths: /^\/v1\/secret\//, is: 'hang' };
    await pass(1);
    expect(await pass(3, team)).toBeGreaterThan(0.98 * usual);
    agent.end();
  });
});
