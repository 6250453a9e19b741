import { describe, expect, it } from 'vitest';
import { URGENCY, type Urgency, urgencyOf } from '../../src/base/urgency.ts';
import { settle } from '../fake-clock.ts';
import { wantsOf } from '../memory-backend.ts';
import { leaseWorld } from './lease.helpers.ts';

describe('the requests of an attempt', () => {
  it('are as urgent as what they are for: first a value, then polls, and what ends or is asked for before these', async () => {
    const { clock, backend, manager, reconcile } = leaseWorld();
    const seen: Urgency[] = [];
    const { fetch } = backend.source;
    backend.source.fetch = (want, last, signal) => {
      seen.push(urgencyOf(signal));
      return fetch(want, last, signal);
    };
    backend.set('app', { password: '1' });
    reconcile(wantsOf('app'));
    await settle();
    await clock.advance(600_000);
    await manager.refresh('app');
    expect([seen[0], seen[1], seen.at(-1)]).toEqual([URGENCY.first, URGENCY.poll, URGENCY.asked]);
    seen.length = 0;
    backend.mint('db', 60_000, false);
    reconcile(wantsOf('db'));
    await settle();
    await clock.advance(60_000);
    expect(seen).toEqual([URGENCY.first, URGENCY.ending]);
  });
});
