import type { Registry } from 'prom-client';
import type { Life } from '../backend/backend.ts';
import type { SecretEntry } from '../lease/snapshot.ts';
import { registerComputed, type Sample, seconds } from './computed-metric.ts';
import type { Observed } from './observed.ts';

const STATES = ['fresh', 'stale', 'expired', 'absent'] as const;

/** Registers the metrics of each configured secret that is a certificate. */
function registerCertificates(registry: Registry, agent: Observed, toWall: (monoMs: number) => number): void {
  const perCertificate = (
    name: string,
    help: string,
    msOf: (secret: string, life: CertificateLife) => number | undefined,
  ) =>
    registerComputed(registry, {
      name: `pannier_certificate_${name}_timestamp_seconds`,
      help,
      type: 'gauge',
      labelNames: ['secret'],
      *samples() {
        const { secrets } = agent.plan().config;
        for (const secret of agent.secrets.names()) {
          const life = held(agent.secrets.entryOf(secret))?.value.life;
          const ms = life?.kind === 'certificate' && secrets.has(secret) ? msOf(secret, life) : undefined;
          if (ms !== undefined) yield { labels: { secret }, value: seconds(ms) };
        }
      },
    });
  perCertificate('expiration', 'When the certificate ends.', (_, { notAfterMs }) => notAfterMs);
  perCertificate('not_before', 'From when on the certificate is valid.', (_, { notBeforeMs }) => notBeforeMs);
  perCertificate('renewal', 'When the next certificate is fetched; absent while that is under way.', (secret) => {
    const nextMs = agent.secrets.nextMonoMs(secret);
    return nextMs === undefined ? undefined : toWall(nextMs);
  });
}

type CertificateLife = Extract<Life, { kind: 'certificate' }>;

/**
 * Registers the metrics of each configured secret that is wanted. Computed secrets are only counted, for each output:
 * no label holds a path.
 */
export function registerSecrets(registry: Registry, agent: Observed): void {
  const { clock } = agent;
  const names = () => [...agent.secrets.names()].filter((name) => agent.plan().config.secrets.has(name));
  const stateOf = (name: string): string => agent.secrets.entryOf(name)?.state ?? 'absent';
  const gauge = (name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>) =>
    registerComputed(registry, { name: `pannier_secret${name}`, help, type: 'gauge', labelNames, samples });
  /** Registers a gauge with a series for each secret for which `msOf` gives a number. */
  const perSecret = (name: string, help: string, msOf: (secret: string) => number | undefined) =>
    gauge(name, help, ['secret'], function* () {
      for (const secret of names()) {
        const value = msOf(secret);
        if (value !== undefined) yield { labels: { secret }, value: seconds(value) };
      }
    });
  const toWall = (monoMs: number | undefined) =>
    monoMs === undefined ? undefined : monoMs - clock.monoMs() + clock.wallMs();
  const fetchedMs = (name: string) => held(agent.secrets.entryOf(name))?.fetchedWallMs;

  gauge('s', 'Number of secrets in each state.', ['state'], () => {
    const counts = new Map<string, number>(STATES.map((state) => [state, 0]));
    for (const name of names()) counts.set(stateOf(name), (counts.get(stateOf(name)) ?? 0) + 1);
    return [...counts].map(([state, value]) => ({ labels: { state }, value }));
  });
  gauge('_state', 'Always 1; the label is the state that the secret is in.', ['secret', 'backend', 'state'], () => {
    const { secrets } = agent.plan().config;
    return names().map((secret) => {
      const backend = secrets.get(secret)?.backend ?? '';
      return { labels: { secret, backend, state: stateOf(secret) }, value: 1 };
    });
  });
  gauge(
    '_version_info',
    "Always 1; the label is the backend's version of the value. Absent for leases and certificates, which are each agent's own.",
    ['secret', 'backend', 'version'],
    function* () {
      const { secrets } = agent.plan().config;
      for (const secret of names()) {
        const value = held(agent.secrets.entryOf(secret))?.value;
        if (value === undefined || value.life.kind === 'lease' || value.life.kind === 'certificate') continue;
        const backend = secrets.get(secret)?.backend ?? '';
        yield { labels: { secret, backend, version: value.version }, value: 1 };
      }
    },
  );
  gauge('s_computed', 'Number of computed secrets in each state, for each output.', ['output', 'state'], function* () {
    for (const [output, computed] of agent.outputs.computed()) {
      const counts = new Map<string, number>(STATES.map((state) => [state, 0]));
      for (const name of computed.keys()) counts.set(stateOf(name), (counts.get(stateOf(name)) ?? 0) + 1);
      if (![...counts.values()].some((count) => count > 0)) continue;
      for (const [state, value] of counts) yield { labels: { output, state }, value };
    }
  });
  gauge(
    's_computed_oldest_success_timestamp_seconds',
    'When the oldest value of the computed secrets of the output was last known good.',
    ['output'],
    function* () {
      for (const [output, computed] of agent.outputs.computed()) {
        const oldestMs = Math.min(...[...computed.keys()].map((name) => fetchedMs(name) ?? Number.POSITIVE_INFINITY));
        if (Number.isFinite(oldestMs)) yield { labels: { output }, value: seconds(oldestMs) };
      }
    },
  );
  perSecret('_last_success_timestamp_seconds', 'When the value was last known good.', fetchedMs);
  perSecret('_age_seconds', 'How long ago the value was last known good.', (name) => {
    const at = fetchedMs(name);
    return at === undefined ? undefined : Math.max(0, clock.wallMs() - at);
  });
  perSecret(
    '_expiry_timestamp_seconds',
    'When the value ends by its lease, login, rotation, certificate or answer; absent when nothing ends it.',
    (name) => toWall(agent.secrets.endsMonoMs(name)),
  );
  perSecret(
    '_next_refresh_timestamp_seconds',
    'When the secret is renewed, fetched or polled next; absent while that is under way.',
    (name) => toWall(agent.secrets.nextMonoMs(name)),
  );
  registerCertificates(registry, agent, (monoMs) => monoMs - clock.monoMs() + clock.wallMs());
}

function held(entry: SecretEntry | undefined) {
  return entry === undefined || entry.state === 'absent' ? undefined : entry;
}
