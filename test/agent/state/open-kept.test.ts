import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { StateKeeper } from '../../../src/agent/state/keeper.ts';
import { openKept } from '../../../src/agent/state/open-kept.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { LeaseManager } from '../../../src/lease/manager.ts';
import { FakeClock } from '../../fake-clock.ts';

const dirs: string[] = [];
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
});

/** Opens a state in a directory of its own. */
async function open() {
  const dir = await mkdtemp('/tmp/pannier-test-');
  dirs.push(dir);
  const clock = new FakeClock();
  const facts: Fact[] = [];
  const emit = (fact: Fact) => void facts.push(fact);
  const manager = new LeaseManager({ clock, random: () => 0.5, emit });
  const env = { PANNIER_STATE_KEY: 'k'.repeat(32) };
  const config = {
    path: join(dir, 'state'),
    key: { from: 'env', name: 'PANNIER_STATE_KEY' },
    maxAgeMs: 3_600_000,
    place: 'state',
  } as const;
  const late = Promise.withResolvers<StateKeeper>();
  const hooks = { openWrap: async () => Promise.reject(new Error('no key')), goesOn: () => false, late: late.resolve };
  const opening = openKept(config, { clock, random: () => 0.5, emit, env, manager, backends: () => [] }, hooks);
  return { clock, facts, opening, late: late.promise, [Symbol.asyncDispose]: () => manager[Symbol.asyncDispose]() };
}

describe('the opening of a state', () => {
  it('gives the state when it is read in time', async () => {
    await using world = await open();
    expect(await world.opening.first).toBeDefined();
    expect(world.facts).toEqual([]);
  });

  it('lets the start go on after a second, as on a machine that boots, and gives the state when it is read', async () => {
    await using world = await open();
    const advanced = world.clock.advance(1_000);
    expect(await world.opening.first).toBeUndefined();
    expect(world.facts).toMatchObject([{ kind: 'agent-warning', warning: { code: 'STATE_UNREADABLE' } }]);
    expect(await world.late).toBeDefined();
    await advanced;
  });
});
