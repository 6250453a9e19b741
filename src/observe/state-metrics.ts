import type { Registry } from 'prom-client';
import { only, registerComputed, type Sample, seconds } from './computed-metric.ts';
import { configIdentity } from './config-identity.ts';
import type { HealthWatch } from './health-watch.ts';
import type { Observed } from './observed.ts';

const OUTPUT_STATES = ['waiting', 'failed', 'owed', 'settled'] as const;

/** Registers the metrics of outputs, logins, listeners and health, as they are at the scrape. */
export function registerStates(registry: Registry, agent: Observed, watch: HealthWatch): void {
  const gauge = (name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>) =>
    registerComputed(registry, { name: `pannier_${name}`, help, type: 'gauge', labelNames, samples });

  gauge('build_info', 'Always 1; the labels are the versions.', ['version', 'node'], () => [
    { labels: { version: agent.version, node: process.versions.node }, value: 1 },
  ]);
  gauge('config_info', 'Always 1; the label tells one configuration from another.', ['config'], () =>
    agent.isApplied() ? [{ labels: { config: configIdentity(agent.plan().config) }, value: 1 }] : [],
  );
  gauge('health', 'Whether a health check answers 200 (1) or 503 (0).', ['check'], () =>
    (['startup', 'ready', 'live'] as const).map((check) => ({
      labels: { check },
      value: watch.check(check).problems.length === 0 ? 1 : 0,
    })),
  );
  gauge('deadline_late_seconds', 'How late the most overdue deadline of a secret is; 0 when none is.', [], () =>
    only(seconds(agent.secrets.lateMs())),
  );

  gauge('outputs', 'Number of outputs in each state.', ['state'], () => {
    const counts = new Map<string, number>(OUTPUT_STATES.map((state) => [state, 0]));
    for (const { kind } of agent.outputs.states().values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return [...counts].map(([state, value]) => ({ labels: { state }, value }));
  });
  gauge('output_state', 'Always 1; the label is the state that the output is in.', ['output', 'state'], () =>
    [...agent.outputs.states()].map(([output, { kind }]) => ({ labels: { output, state: kind }, value: 1 })),
  );
  gauge(
    'output_generation',
    'Number of the published generation; absent while the output waits or has failed.',
    ['output'],
    function* () {
      for (const [output, state] of agent.outputs.states()) {
        if ('generation' in state) yield { labels: { output }, value: state.generation };
      }
    },
  );

  gauge(
    'output_held',
    'Whether older values are published than there are (1), since a check or a verification failed, or not (0).',
    ['output'],
    () =>
      [...agent.outputs.states()].map(([output, state]) => ({
        labels: { output },
        value: 'held' in state && state.held !== undefined ? 1 : 0,
      })),
  );

  gauge(
    'output_drifted',
    'Whether another process has changed the published files and they are not put right yet (1), or not (0).',
    ['output'],
    () =>
      [...agent.outputs.states()].map(([output, state]) => ({
        labels: { output },
        value: 'drift' in state && state.drift !== undefined ? 1 : 0,
      })),
  );

  registerListeners(registry, agent);
  registerSds(gauge, agent);
  registerAwsOnDemand(registry, agent);

  gauge(
    'backend_circuit_state',
    'Always 1; the label is the state of the circuit breaker: closed, open (nothing is sent), half-open (one request is).',
    ['backend', 'state'],
    function* () {
      for (const [backend, { circuit }] of agent.backends.byName()) {
        const state = circuit?.()?.state;
        if (state !== undefined) yield { labels: { backend, state }, value: 1 };
      }
    },
  );
  registerFeeds(registry, agent);
  gauge(
    'output_reload_due_seconds',
    'How long the reload of an output still waits for the turn of this replica; absent when it does not wait.',
    ['output'],
    function* () {
      for (const [output, state] of agent.outputs.states()) {
        if (state.kind !== 'owed' || state.dueMonoMs === undefined) continue;
        yield { labels: { output }, value: seconds(Math.max(0, state.dueMonoMs - agent.clock.monoMs())) };
      }
    },
  );

  gauge('login_state', 'Always 1; the label is the state that the login is in.', ['backend', 'state'], function* () {
    for (const [backend, { login }] of logins(agent)) yield { labels: { backend, state: login.state }, value: 1 };
  });
  gauge('login_usable', 'Whether the agent has a login that can be used (1) or not (0).', ['backend'], function* () {
    for (const [backend, { login }] of logins(agent)) yield { labels: { backend }, value: login.isUsable ? 1 : 0 };
  });
  gauge(
    'login_expiry_timestamp_seconds',
    'When the login ends; absent when there is no login, or when it never ends.',
    ['backend'],
    function* () {
      for (const [backend, { login }] of logins(agent)) {
        if (login.endsMonoMs === undefined) continue;
        const atMs = login.endsMonoMs - agent.clock.monoMs() + agent.clock.wallMs();
        yield { labels: { backend }, value: seconds(atMs) };
      }
    },
  );
}

/** Registers the metrics of the feeds by which backends tell of changes. */
function registerFeeds(registry: Registry, agent: Observed): void {
  const feeds = function* () {
    for (const [name, backend] of agent.backends.byName()) {
      const feed = backend.feed?.();
      if (feed !== undefined) yield { labels: { backend: name }, feed };
    }
  };
  registerComputed(registry, {
    name: 'pannier_feed_up',
    help: 'Whether the backend tells of each change (1), or secrets are polled at their refresh (0).',
    type: 'gauge',
    labelNames: ['backend'],
    samples: () => [...feeds()].map(({ labels, feed }) => ({ labels, value: feed.isUp ? 1 : 0 })),
  });
  registerComputed(registry, {
    name: 'pannier_feed_events_total',
    help: 'How often the backend told that a secret may have changed.',
    type: 'counter',
    labelNames: ['backend'],
    samples: () => [...feeds()].map(({ labels, feed }) => ({ labels, value: feed.events })),
  });
  registerComputed(registry, {
    name: 'pannier_feed_last_event_timestamp_seconds',
    help: 'When the backend told of a change last; absent until it does.',
    type: 'gauge',
    labelNames: ['backend'],
    samples: () =>
      [...feeds()].flatMap(({ labels, feed: { lastEventWallMs } }) =>
        lastEventWallMs === undefined ? [] : [{ labels, value: seconds(lastEventWallMs) }],
      ),
  });
}

/** Registers the metrics of the secrets that Envoy asks for. */
function registerSds(
  gauge: (name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>) => void,
  agent: Observed,
): void {
  gauge('sds_streams', 'Open streams of clients of the secret discovery service.', [], () =>
    agent.sds.hub === undefined ? [] : only(agent.sds.hub.streams),
  );
  gauge('sds_secret_state', 'Always 1; the label is the state of what is served as the name.', ['name', 'state'], () =>
    (agent.sds.hub?.served() ?? []).map(({ name, state }) => ({ labels: { name, state }, value: 1 })),
  );
  gauge('sds_secret_refused', 'Whether a client refused the secret that it was sent last.', ['name'], () =>
    (agent.sds.hub?.served() ?? []).map(({ name, refusal }) => ({
      labels: { name },
      value: refusal === undefined ? 0 : 1,
    })),
  );
  gauge('sds_on_demand_names', 'Names whose certificates are issued on demand now.', [], () =>
    agent.sds.hub?.onDemand === undefined ? [] : only(agent.sds.hub.onDemand.names),
  );
}

/** Registers the metrics of the agent's own listeners. The counts of a listener begin at 0 when it is opened again. */
function registerListeners(registry: Registry, agent: Observed): void {
  registerComputed(registry, {
    name: 'pannier_listener_connections',
    help: 'Open connections to a listener of the agent.',
    type: 'gauge',
    labelNames: ['service', 'listener'],
    samples: () =>
      agent.listeners().map(({ service, where, listener }) => {
        return { labels: { service, listener: where }, value: listener.connections };
      }),
  });
  registerComputed(registry, {
    name: 'pannier_listener_requests_total',
    help: 'Requests to a listener of the agent by HTTP status; 0: the client left before its answer began.',
    type: 'counter',
    labelNames: ['service', 'listener', 'status'],
    *samples() {
      for (const { service, where, listener } of agent.listeners()) {
        for (const [status, value] of listener.answered) {
          yield { labels: { service, listener: where, status: String(status) }, value };
        }
      }
    },
  });
}

/** Registers the metrics of what listeners read on demand by AWS's protocol: numbers, and no name of a secret. */
function registerAwsOnDemand(registry: Registry, agent: Observed): void {
  registerComputed(registry, {
    name: 'pannier_aws_on_demand_values',
    help: "Values that a listener keeps which clients named by AWS's protocol.",
    type: 'gauge',
    labelNames: ['listener'],
    samples: () => [...agent.awsOnDemand].map(([listener, { values }]) => ({ labels: { listener }, value: values })),
  });
  registerComputed(registry, {
    name: 'pannier_aws_on_demand_requests_total',
    help: "Requests for what clients name by AWS's protocol, by how they ended.",
    type: 'counter',
    labelNames: ['listener', 'outcome'],
    *samples() {
      for (const [listener, { requests }] of agent.awsOnDemand) {
        for (const [outcome, value] of requests) yield { labels: { listener, outcome }, value };
      }
    },
  });
}

function* logins(agent: Observed) {
  for (const [name, backend] of agent.backends.byName()) {
    const login = backend.login?.();
    if (login !== undefined) yield [name, { login }] as const;
  }
}
