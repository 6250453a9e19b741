import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { MemoryBackend, wantOf } from '../memory-backend.ts';
import { describeContract } from './contract.ts';

describeContract({
  name: 'memory',
  cannot: {
    slow: 'it takes the time it is told to; there is no deadline',
    restarted: 'there is no server',
  },
  async open() {
    const backend = new MemoryBackend(systemClock);
    backend.latencyMs = 1;
    const texts = new Map<string, string>();
    return {
      backend,
      want: wantOf,
      async put(name, value) {
        if (typeof value === 'string') {
          texts.set(name, value);
          return backend.set(name, { password: value });
        }
        const fields = new Map([['password', Secret.bytes(value)]]);
        backend.answers.set(name, async () => ({ fields, version: '1', life: { kind: 'none' } }));
      },
      valueOf: (fields) => fields.get('password'),
      remove: async (name) => void backend.answers.delete(name),
      refuse: async (name) => void backend.answers.set(name, 'SECRET_DENIED'),
      throttle: async (name) => void backend.answers.set(name, 'BACKEND_THROTTLED'),
      heal: async (name) => backend.set(name, { password: texts.get(name) ?? '' }),
      [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
    };
  },
});
