import { type Cut, cutIn } from './cut.ts';

const circuit = cutIn('src/http/circuit.ts');
const deadlines = cutIn('src/lease/deadlines.ts');
const limiter = cutIn('src/http/request-limiter.ts');
const mounts = cutIn('src/http/mounts.ts');
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
  cutIn('src/lease/disruptions.ts')(
    'fleet-comes-back',
    'if (item.backend === backend && item.running === undefined) deadlines',
    'if (false) deadlines',
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
    "if (this.#state !== 'open' || this.isPassed(mount)) return undefined;",
    "if (this.#state !== 'none' || this.isPassed(mount)) return undefined;",
  ),
  cutIn('src/base/backoff.ts')(
    'patient-backoff',
    'failures === quickTries + 1 ? random()',
    'failures === 0 ? random()',
  ),
  circuit('circuit-opens', 'OPENS_AFTER = 3;', 'OPENS_AFTER = 3e9;'),
  mounts('circuit-opens', 'failing.size === 0 && isLate(askedMonoMs, nowMonoMs)', 'failing.size === 0', {
    by: 'opens the circuit in an outage',
  }),
  mounts('circuit-opens', 'return this.failing > 1 || !well.some(holdsSecrets);', 'return true;', {
    by: 'within the last minute',
  }),
  mounts('circuit-one-path', 'Math.min(2, pathsOf(counted))', '0', { by: 'the only secret of a mount' }),
  circuit('circuit-one-path', "this.#state !== 'open' || this.isPassed(mount)", "this.#state !== 'open'", {
    by: 'is passed by',
  }),
  circuit('circuit-one-path', 'if (wasWell) this.#mounts.setAlone();', '', { by: 'is passed by' }),
  limiter('circuit-one-path', 'if (circuit?.isPassed(mount) === true) continue;', '', {
    by: 'one of a mount at a time',
  }),
  limiter('hung-mount', '!isUrgent(urgency) && circuit?.holds(', 'false && circuit?.holds(', {
    by: 'hold half of the places',
  }),
  mounts('hung-mount', ' && !well.has(plain(path))', '', { by: 'once they were answered' }),
  cutIn('src/lease/backend-logins.ts')('hung-mount', "backend.source.partOf?.(want) ?? ''", "''", {
    by: 'in one part of a backend',
  }),
  limiter('urgent-first', 'const queue = this.#queues[asked.urgency] as', 'const queue = this.#queues[0] as', {
    by: 'begin in the order',
  }),
  limiter('urgent-first', 'count + (isUrgent(urgency) ? spare : 0)', 'count', { by: 'that hang in all slots' }),
  limiter('urgent-first', 'isUrgent(urgency) ? Math.min(spare, SPARE_IN_CIRCUIT) : 0', '0', {
    by: 'that hang in all slots',
  }),
  limiter('request-rate', 'isUrgent(urgency) ? 0 : (this.#bucket', 'false ? 0 : (this.#bucket'),
  cutIn('src/backend/protection.ts')(
    'start-spread',
    'spreadsStart === true ? (requests?.startSpreadMs ?? 0) : 0',
    'requests?.startSpreadMs ?? 0',
    { by: 'at once for init' },
  ),
  slot('reload-spread', 'this.#slotMonoMs ??= now + share * spreadMs;', 'this.#slotMonoMs = now + share * spreadMs;'),
  slot('reload-spread-ends', 'return this.#endsMonoMs <= this.#slotMonoMs + GRACE_MS ? now :', 'return false ? now :'),
];
