import { afterEach } from 'vitest';
import type { Want } from '../../src/backend/backend.ts';
import type { Fact } from '../../src/base/fact.ts';
import { LeaseManager } from '../../src/lease/manager.ts';
import { FakeClock } from '../fake-clock.ts';
import { MemoryBackend } from '../memory-backend.ts';

export { numbers } from '../numbers.ts';

const managers: LeaseManager[] = [];
afterEach(async () => {
  for (const manager of managers.splice(0)) {
    // Disposal waits for running attempts, and the answer of some tests never comes.
    await Promise.race([manager[Symbol.asyncDispose](), new Promise((resolve) => setTimeout(resolve, 50))]);
  }
});

/** A lease manager over a backend in memory on a fake clock; it ends with the test. `random` is 0.5: no jitter. */
export function leaseWorld(random: () => number = () => 0.5, polls = true) {
  const clock = new FakeClock();
  const backend = new MemoryBackend(clock);
  const facts: Fact[] = [];
  const emit = (fact: Fact) => facts.push(fact);
  const manager = new LeaseManager({ clock, random, emit, polls });
  managers.push(manager);
  const reconcile = (named: ReadonlyMap<string, Want>) => manager.reconcile(named, new Map([['memory', backend]]));
  const entry = (name: string) => manager.snapshot().get(name);
  const state = (name: string) => entry(name)?.state;
  const field = (name: string, of = 'password') => {
    const known = entry(name);
    const value = known === undefined || known.state === 'absent' ? undefined : known.value.fields.get(of);
    return value !== undefined && 'exposeText' in value ? value.exposeText('file') : undefined;
  };
  return { clock, backend, facts, manager, reconcile, entry, state, field };
}
