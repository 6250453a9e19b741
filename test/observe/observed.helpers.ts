import type { LoginView } from '../../src/backend/login-view.ts';
import { type Failure, failure } from '../../src/base/errors.ts';
import type { Emit, Fact } from '../../src/base/fact.ts';
import type { TraceIds } from '../../src/base/tracing.ts';
import type { Config, ProxyConfig } from '../../src/config/config.ts';
import type { OutputState, PublishedGeneration } from '../../src/deliver/output-state.ts';
import type { SecretEntry } from '../../src/lease/snapshot.ts';
import { HealthWatch } from '../../src/observe/health-watch.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import type { Observed } from '../../src/observe/observed.ts';
import { FakeClock } from '../fake-clock.ts';

/** The state of an agent as health and metrics see it, which a test sets. */
export function observedWorld({ hasTraces = false } = {}) {
  const clock = new FakeClock();
  const startedWallMs = clock.wallMs();
  const entries = new Map<string, SecretEntry>();
  const outputs = new Map<string, OutputState>();
  const published = new Map<string, PublishedGeneration>();
  const due = new Map<string, number>();
  const logins = new Map<string, LoginView>();
  const troubles = new Map<string, Failure>();
  const attempts = new Map<string, number>();
  const ends = new Map<string, number>();
  const hearFacts = new Set<Emit>();
  const hearProgress = new Set<() => void>();
  const state = {
    lateMs: 0,
    isApplied: true,
    config: configOf({}),
    listeners: [] as ReturnType<Observed['listeners']>,
    hub: undefined as Observed['sds']['hub'],
    span: undefined as TraceIds | undefined,
  };
  const hearing =
    <T>(set: Set<T>) =>
    (heard: T) => {
      set.add(heard);
      return { [Symbol.dispose]: () => void set.delete(heard) };
    };
  const agent: Observed = {
    clock,
    ...(hasTraces ? { tracing: { current: () => state.span } } : {}),
    version: '1.2.3',
    startedWallMs,
    isApplied: () => state.isApplied,
    plan: () => ({ config: state.config }),
    secrets: {
      names: () => new Set([...state.config.secrets.keys(), ...entries.keys()]),
      entryOf: (name) => entries.get(name),
      wantIdOf: (name) => (entries.has(name) ? `want of ${name}` : undefined),
      nextMonoMs: (name) => (entries.has(name) ? clock.monoMs() + 60_000 : undefined),
      endsMonoMs: (name) => ends.get(name),
      oldestAttempts: () => attempts,
      lateMs: () => state.lateMs,
    },
    outputs: {
      states: () => outputs,
      published: (name) => published.get(name),
      due: () => due,
      computed: () =>
        new Map(
          [...outputs.keys()].map((name) => [name, new Set([...entries.keys()].filter((one) => one.includes(' ')))]),
        ),
    },
    backends: {
      byName: () =>
        new Map(
          [...state.config.backends.keys()].map((name) => [
            name,
            { login: () => logins.get(name) ?? OUT, trouble: () => troubles.get(name) },
          ]),
        ),
    },
    reasonMissing: (name) => failure('SECRET_NEVER_FETCHED', `secrets.${name}`, 'no answer has come yet'),
    listeners: () => state.listeners,
    awsOnDemand: new Map(),
    sds: {
      get hub() {
        return state.hub;
      },
    },
    onProgress: hearing(hearProgress),
    onFact: hearing(hearFacts),
  };
  return {
    agent,
    clock,
    entries,
    outputs,
    published,
    due,
    logins,
    troubles,
    attempts,
    ends,
    state,
    /** Sets the names that are configured, all with the backend `bao`; a new output waits. */
    configure(names: {
      readonly secrets?: readonly string[];
      readonly outputs?: readonly string[];
      readonly proxy?: Pick<ProxyConfig, 'useAutoAuthToken'>;
    }) {
      state.config = configOf(names);
      const { outputs: wanted = [] } = names;
      for (const name of outputs.keys()) if (!wanted.includes(name)) outputs.delete(name);
      for (const name of wanted) if (!outputs.has(name)) outputs.set(name, { kind: 'waiting', missing: [] });
    },
    emit: (fact: Fact) => {
      for (const hear of hearFacts) hear(fact);
    },
    progress: () => {
      for (const hear of hearProgress) hear();
    },
    listening: () => hearFacts.size + hearProgress.size,
    certificate: (name: string, notBeforeMs: number, notAfterMs: number) =>
      entries.set(name, {
        state: 'fresh',
        value: { fields: new Map(), version: '1', life: { kind: 'certificate', notBeforeMs, notAfterMs } },
        fetchedWallMs: clock.wallMs(),
        changedWallMs: 0,
        valueNumber: 1,
        stateNumber: 1,
      }),
    fresh: (name: string, agoMs = 0, earlier?: { readonly version: string; readonly fetchedWallMs: number }) =>
      entries.set(name, {
        state: 'fresh',
        value: { fields: new Map(), version: '1', life: { kind: 'none' } },
        fetchedWallMs: clock.wallMs() - agoMs,
        ...(earlier === undefined ? {} : { earlier }),
        changedWallMs: 0,
        valueNumber: 1,
        stateNumber: 1,
      }),
  };
}

export type ObservedWorld = ReturnType<typeof observedWorld>;

/** Makes the metrics of such an agent. */
export async function metricsOf(world: ObservedWorld) {
  const watch = new HealthWatch(world.agent);
  const metrics = await createMetrics(world.agent, watch);
  return {
    metrics,
    text: async () => (await metrics.scrape('prometheus')).body,
    [Symbol.dispose]() {
      metrics[Symbol.dispose]();
      watch[Symbol.dispose]();
    },
  };
}

const OUT: LoginView = {
  method: 'jwt',
  state: 'out',
  isUsable: false,
  endsMonoMs: undefined,
  nextMonoMs: undefined,
};

function configOf({
  secrets = [],
  outputs = [],
  proxy,
}: {
  secrets?: readonly string[];
  outputs?: readonly string[];
  proxy?: Pick<ProxyConfig, 'useAutoAuthToken'>;
}): Config {
  const secret = { backend: 'bao', optional: false };
  return {
    backends: new Map([['bao', { kind: 'vault', name: 'bao', timeoutMs: 10_000 }]]),
    log: {},
    secrets: new Map(secrets.map((name) => [name, { ...secret, name }])),
    outputs: new Map(outputs.map((name) => [name, { name }])),
    ...(proxy === undefined ? {} : { proxy: { backend: 'bao', ...proxy } }),
  } as unknown as Config;
}
