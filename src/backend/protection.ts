import { Subscribers } from '../base/subscribers.ts';
import type { BackendConfig } from '../config/config.ts';
import type { Protection } from '../http/transport.ts';
import type { Backend } from './backend.ts';
import type { BackendContext } from './context.ts';

/**
 * What protects a backend from this agent and from a fleet of them: a circuit breaker, and what the configuration says
 * about requests.
 */
export function protectionOf(
  { name, requests }: BackendConfig,
  context: BackendContext,
): Protection & Required<Pick<Backend, 'onRecovered'>> {
  const { clock, random, emit, spreadsStart } = context;
  let told: 'closed' | 'open' = 'closed';
  const recovered = new Subscribers<[number]>();
  const spreadMs = spreadsStart === true ? (requests?.startSpreadMs ?? 0) : 0;
  return {
    random,
    rate: requests?.rate,
    onRecovered: (listener) => recovered.add(listener),
    recovered: (outageMs) => recovered.tell(outageMs),
    notBeforeMonoMs: spreadMs === 0 ? undefined : clock.monoMs() + spreadMs * random(),
    changed: ({ state, failure, probeMonoMs }) => {
      // Each probe that fails opens the circuit again, which is no news.
      if (state === 'half-open' || state === told) return;
      told = state;
      const pause = probeMonoMs === undefined ? {} : { probeInMs: Math.round(probeMonoMs - clock.monoMs()) };
      emit({ kind: 'backend-circuit', backend: name, state, ...(failure && { failure }), ...pause });
    },
  };
}

/** See `Backend.spreadsFirst`: a configuration that spreads starts is that of a fleet. */
export function spreadsFirstOf({ requests }: BackendConfig): true | undefined {
  return (requests?.startSpreadMs ?? 0) > 0 ? true : undefined;
}
