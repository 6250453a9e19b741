import { type Cut, cutIn } from './cut.ts';

const circuit = cutIn('src/http/circuit.ts');
const limiter = cutIn('src/http/request-limiter.ts');
const slot = cutIn('src/agent/output/reload-slot.ts');

export const FLEET: readonly Cut[] = [
  // Without the patience, the whole fleet comes back in the first half minute.
  cutIn('src/base/backoff.ts')('fleet-recovery', 'if (failures <= quickTries ||', 'if (failures < 1e9 ||'),
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
  limiter('urgent-first', 'const queue = this.#queues[urgency] as', 'const queue = this.#queues[0] as'),
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
