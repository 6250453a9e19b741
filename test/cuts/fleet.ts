import { type Cut, cutIn } from './cut.ts';

const circuit = cutIn('src/http/circuit.ts');
const deadlines = cutIn('src/lease/deadlines.ts');
const limiter = cutIn('src/http/request-limiter.ts');
const schedule = cutIn('src/lease/schedule.ts');
const slot = cutIn('src/agent/output/reload-slot.ts');

export const FLEET: readonly Cut[] = [
  // Without the patience, the whole fleet comes back in the first half minute.
  schedule('fleet-recovery', 'paceMs(restMs ?? 0, longestMs);', '0;'),
  schedule('fleet-comes-back', 'MAX_SPREAD_OF_REFRESH = 2 / 3', 'MAX_SPREAD_OF_REFRESH = 1 / 3', {
    by: 'ten minutes',
  }),
  deadlines('fleet-comes-back', '|| now < item.broughtForwardMonoMs + want.refreshMs) return;', ') return;', {
    by: 'brought forward once',
  }),
  deadlines('fleet-comes-back', 'if (isFollowed(why.retryAfterMs) ||', 'if (false ||', { by: 'has put off' }),
  // Without it, what failed waits for the place of its next poll.
  cutIn('src/lease/manager.ts')(
    'fleet-comes-back',
    'if (item.backend === backend && item.running === undefined) this',
    'if (false) this',
    {
      by: 'has nearly all',
    },
  ),
  cutIn('src/backend/protection.ts')(
    'fleet-comes-back',
    'recovered: (outageMs) => recovered.tell(outageMs),',
    'recovered: () => {},',
    { by: 'is told of' },
  ),
  // Without the breaker, each secret finds out for itself that the server is away.
  circuit(
    'fleet-outage',
    "if (this.#state !== 'open') return undefined;",
    "if (this.#state !== 'none') return undefined;",
  ),
  cutIn('src/base/backoff.ts')(
    'patient-backoff',
    'failures === quickTries + 1 ? random()',
    'failures === 0 ? random()',
  ),
  circuit('circuit-opens', 'OPENS_AFTER = 3;', 'OPENS_AFTER = 3e9;'),
  circuit(
    'circuit-one-path',
    'return this.#failing.paths >= Math.min(MIN_PATHS, paths) && this.#failing.mounts >= Math.min(2, mounts);',
    'return paths + mounts > 0;',
  ),
  limiter('urgent-first', 'const queue = this.#queues[urgency] as', 'const queue = this.#queues[0] as', {
    by: 'begin in the order',
  }),
  limiter('urgent-first', 'count + (isUrgent ? spare : 0)', 'count', { by: 'that hang in all slots' }),
  limiter('urgent-first', 'isUrgent ? Math.min(spare, SPARE_IN_CIRCUIT) : 0', '0', { by: 'that hang in all slots' }),
  limiter('request-rate', 'urgency <= URGENCY.ending ? 0 : (this.#bucket', 'false ? 0 : (this.#bucket'),
  cutIn('src/backend/protection.ts')(
    'start-spread',
    'spreadsStart === true ? (requests?.startSpreadMs ?? 0) : 0',
    'requests?.startSpreadMs ?? 0',
    { by: 'at once for init' },
  ),
  slot('reload-spread', 'this.#slotMonoMs ??= now + share * spreadMs;', 'this.#slotMonoMs = now + share * spreadMs;'),
  slot('reload-spread-ends', 'return this.#endsMonoMs <= this.#slotMonoMs + GRACE_MS ? now :', 'return false ? now :'),
];
