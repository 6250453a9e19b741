import type { Counter, Histogram, Metric, Registry } from 'prom-client';
import type { Fact } from '../base/fact.ts';
import { registerComputed, seconds } from './computed-metric.ts';
import { TracedCounter, TracedHistogram } from './exemplars.ts';
import type { Observed } from './observed.ts';
import { operationOf } from './operation-of.ts';

/** The parts of prom-client that are used. `createMetrics` loads the library. */
export interface PromClient {
  readonly Counter: typeof Counter;
  readonly Histogram: typeof Histogram;
}

/** Buckets for requests, from a local answer to a timeout. */
const REQUEST_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Buckets for publishing and for steps of reloads. */
const WORK_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120];

/** The parts whose failures are always in a trace that is sent, if it is sampled. */
const TOLD: ReadonlySet<string> = new Set(['login', 'secret', 'output', 'reload']);

type FactOf<K extends Fact['kind']> = Extract<Fact, { kind: K }>;
type Counters = { readonly [K in Fact['kind']]?: (fact: FactOf<K>) => void };

/** Counters and histograms of facts. */
export interface EventMetrics {
  /** Counts a fact in each metric that it concerns. */
  count(fact: Fact): void;
  /** Drops the series of outputs and backends that are no longer configured. */
  prune(): Promise<void>;
}

/** Registers the counters and histograms; they count the facts from then on. */
export function registerEvents(registry: Registry, { Counter, Histogram }: PromClient, agent: Observed): EventMetrics {
  const registers = [registry];
  const enableExemplars = agent.tracing !== undefined;
  /** The library refuses a metric with exemplars for a registry of the text format, so it is told of it later. */
  const registered = <M extends Metric>(metric: M): M => {
    registry.registerMetric(metric);
    return metric;
  };
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter<L>({ name: `pannier_${name}_total`, help, labelNames, registers });
  const tracedCounter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new TracedCounter(
      registered(new Counter<L>({ name: `pannier_${name}_total`, help, labelNames, registers: [], enableExemplars })),
      agent.tracing,
    );
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram<L>({ name: `pannier_${name}_seconds`, help, labelNames, buckets, registers });
  const tracedHistogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new TracedHistogram(
      registered(
        new Histogram<L>({
          name: `pannier_${name}_seconds`,
          help,
          labelNames,
          buckets,
          registers: [],
          enableExemplars,
        }),
      ),
      agent.tracing,
    );

  const requests = counter(
    'backend_requests',
    'Requests to a backend by operation and by HTTP status, or by failure code when no answer came.',
    'backend',
    'operation',
    'status',
  );
  const requestSeconds = histogram(
    'backend_request_duration',
    'Duration of requests to a backend, without the wait for a connection.',
    REQUEST_SECONDS,
    'backend',
    'operation',
  );
  const logins = counter('logins', 'Attempts to log in or to renew a login, by result.', 'backend', 'result');
  const attempts = tracedCounter('secret_attempts', 'Attempts to fetch or renew a secret, by result.', 'result');
  const failures = tracedCounter(
    'failures',
    'Failures by the part of the agent that failed and by code.',
    'part',
    'code',
  );
  const renders = counter('output_renders', 'Attempts to render an output, by result.', 'output', 'result');
  const publishes = counter('output_publishes', 'Attempts to publish an output, by result.', 'output', 'result');
  const drifts = counter(
    'output_drifts',
    'How often another process was found to have changed the published files of an output.',
    'output',
  );
  const publishSeconds = tracedHistogram(
    'output_publish_duration',
    'Duration from the start of rendering until the new generation is published.',
    WORK_SECONDS,
  );
  const reloads = counter('output_reloads', 'Reloads of the application by result.', 'output', 'result');
  const steps = counter('reload_steps', 'Steps of reloads by kind and result.', 'step', 'result');
  const stepSeconds = tracedHistogram('reload_step_duration', 'Duration of steps of reloads.', WORK_SECONDS, 'step');
  const proxied = counter(
    'proxy_requests',
    'Requests through the proxy by operation, HTTP status (0: the client left first) and use of the cache.',
    'backend',
    'operation',
    'status',
    'cache',
  );
  const proxySeconds = histogram(
    'proxy_request_duration',
    'Duration of requests through the proxy.',
    REQUEST_SECONDS,
    'backend',
    'cache',
  );
  const sdsAnswers = counter('sds_answers', 'Answers to Envoy: sent, accepted (ACK) and refused (NACK).', 'result');
  const childStarts = counter('child_starts', 'Starts of the child of exec by reason.', 'why');
  const childEnds = counter('child_ends', 'Ends of the child of exec by exit status; 128+n means signal n.', 'status');
  const loads = counter('config_loads', 'Configurations read after the first, by result.', 'result');
  const crashes = counter('task_crashes', 'Tasks of the agent that failed and were restarted.');
  const logLines = counter('log_lines', 'Log lines for a receiver by result: sent, or dropped.', 'result');
  const auditLost = counter('audit_lines_lost', 'Lines of the audit that found no place in its file or socket.');
  const spans = counter('trace_spans', 'Spans of traces by result: sent to the receiver, or dropped.', 'result');
  // Both results of what is configured are there from the start: `rate` does not see the step to a first value.
  for (const result of ['sent', 'dropped']) {
    if (agent.plan().config.log.otlp !== undefined) logLines.inc({ result }, 0);
    if (agent.tracing !== undefined) spans.inc({ result }, 0);
  }
  const jumps = counter('clock_jumps', 'Jumps of the wall clock, and suspensions of the machine.');
  const warnings = counter('warnings', 'Warnings by code.', 'code');

  // Series begin at 0: if one began with its first event, rate() would not see that event.
  for (const result of ['changed', 'unchanged', 'renewed', 'failed']) attempts.begin({ result });
  for (const result of ['applied', 'rejected']) loads.inc({ result }, 0);
  if (agent.tracing !== undefined) for (const result of ['sent', 'dropped']) spans.inc({ result }, 0);

  const lastLoad = { isGood: true, wallMs: agent.startedWallMs };
  registerComputed(registry, {
    name: 'pannier_config_last_load_successful',
    help: 'Whether the last configuration that was read is the one in use.',
    type: 'gauge',
    samples: () => [{ labels: {}, value: lastLoad.isGood ? 1 : 0 }],
  });
  registerComputed(registry, {
    name: 'pannier_config_last_load_success_timestamp_seconds',
    help: 'When the configuration in use was applied.',
    type: 'gauge',
    samples: () => [{ labels: {}, value: seconds(lastLoad.wallMs) }],
  });
  const publishedMs = new Map<string, number>();
  registerComputed(registry, {
    name: 'pannier_output_last_publish_timestamp_seconds',
    help: 'When this process last published the output; absent when it has not.',
    type: 'gauge',
    labelNames: ['output'],
    samples: () => [...publishedMs].map(([output, ms]) => ({ labels: { output }, value: seconds(ms) })),
  });

  const failed = (part: string, { failure }: { readonly failure: { readonly code: string } }) =>
    failures.inc({ part, code: failure.code }, TOLD.has(part));
  const counters: Counters = {
    'backend-answered': ({ backend, call, status, durationMs }) => {
      const operation = operationOf(call);
      requests.inc({ backend, operation, status: String(status) });
      requestSeconds.observe({ backend, operation }, durationMs / 1000);
    },
    'backend-failed': ({ backend, call, failure, durationMs }) => {
      const operation = operationOf(call);
      requests.inc({ backend, operation, status: failure.code });
      requestSeconds.observe({ backend, operation }, durationMs / 1000);
    },
    'login-made': ({ backend }) => logins.inc({ backend, result: 'made' }),
    'login-renewed': ({ backend }) => logins.inc({ backend, result: 'renewed' }),
    'login-failed': (fact) => {
      logins.inc({ backend: fact.backend, result: 'failed' });
      failed('login', fact);
    },
    'login-renew-failed': (fact) => {
      logins.inc({ backend: fact.backend, result: 'renewal_failed' });
      failed('login', fact);
    },
    'secret-changed': () => attempts.inc({ result: 'changed' }, true),
    'secret-unchanged': () => attempts.inc({ result: 'unchanged' }, false),
    'secret-renewed': () => attempts.inc({ result: 'renewed' }, true),
    'secret-absent': () => attempts.inc({ result: 'absent' }, false),
    'secret-failed': (fact) => {
      attempts.inc({ result: 'failed' }, true);
      failed('secret', fact);
    },
    'output-rendered': ({ output, result }) =>
      renders.inc({ output, result: result === 'files' ? 'rendered' : result }),
    'output-published': ({ output, durationMs }) => {
      publishes.inc({ output, result: 'published' });
      publishSeconds.observe({}, durationMs / 1000);
      publishedMs.set(output, agent.clock.wallMs());
    },
    'output-unchanged': ({ output }) => publishes.inc({ output, result: 'unchanged' }),
    'output-failed': (fact) => {
      if (!fact.failure.code.startsWith('RENDER_')) publishes.inc({ output: fact.output, result: 'failed' });
      failed('output', fact);
    },
    'output-drifted': (fact) => {
      drifts.inc({ output: fact.output });
      failed('output', fact);
    },
    'output-rolled-back': (fact) => {
      publishes.inc({ output: fact.output, result: 'rolled_back' });
      failed('output', fact);
    },
    'reload-skipped': ({ output }) => reloads.inc({ output, result: 'skipped' }),
    'reload-done': ({ output }) => reloads.inc({ output, result: 'done' }),
    'reload-failed': (fact) => {
      reloads.inc({ output: fact.output, result: 'failed' });
      failed('reload', fact);
    },
    'reload-step': ({ how, durationMs, failure }) => {
      steps.inc({ step: how, result: failure === undefined ? 'done' : 'failed' });
      stepSeconds.observe({ step: how }, durationMs / 1000);
    },
    'proxy-answered': ({ backend, call, status, cache, durationMs }) => {
      proxied.inc({ backend, operation: operationOf(call), status: String(status), cache });
      proxySeconds.observe({ backend, cache }, durationMs / 1000);
    },
    'sds-sent': () => sdsAnswers.inc({ result: 'sent' }),
    'sds-accepted': () => sdsAnswers.inc({ result: 'accepted' }),
    'sds-refused': (fact) => {
      sdsAnswers.inc({ result: 'refused' });
      failed('sds', fact);
    },
    'sds-unusable': (fact) => failed('sds', fact),
    'child-started': ({ why }) => childStarts.inc({ why }),
    'child-ended': ({ status }) => childEnds.inc({ status: String(status) }),
    'child-failed': (fact) => failed('child', fact),
    'config-applied': () => {
      loads.inc({ result: 'applied' });
      lastLoad.isGood = true;
      lastLoad.wallMs = agent.clock.wallMs();
    },
    'config-rejected': (fact) => {
      if (fact.problem === 1) loads.inc({ result: 'rejected' });
      lastLoad.isGood = false;
      failed('config', fact);
    },
    'logs-sent': (fact) => logLines.inc({ result: 'sent' }, fact.lines),
    'logs-dropped': (fact) => logLines.inc({ result: 'dropped' }, fact.lines),
    'audit-lost': (fact) => auditLost.inc(fact.lines),
    'traces-sent': (fact) => spans.inc({ result: 'sent' }, fact.spans),
    'traces-dropped': (fact) => spans.inc({ result: 'dropped' }, fact.spans),
    'task-crashed': () => crashes.inc(),
    'clock-jumped': () => jumps.inc(),
    'agent-warning': ({ warning }) => warnings.inc({ code: warning.code }),
  };

  const byOutput = [renders, publishes, drifts, reloads];
  const byBackend = [requests, requestSeconds, logins, proxied, proxySeconds];
  return {
    count: (fact) => counters[fact.kind]?.(fact as never),
    async prune() {
      const outputs = agent.outputs.states();
      const { backends } = agent.plan().config;
      for (const output of publishedMs.keys()) if (!outputs.has(output)) publishedMs.delete(output);
      for (const metric of byOutput) await dropUnknown(metric, 'output', outputs);
      for (const metric of byBackend) await dropUnknown(metric, 'backend', backends);
    },
  };
}

async function dropUnknown(
  metric: Counter | Histogram,
  label: string,
  known: { has(name: string): boolean },
): Promise<void> {
  for (const { labels } of (await metric.get()).values) {
    const { le: _, ...own } = labels as Record<string, string>;
    if (!known.has(own[label] ?? '')) metric.remove(own);
  }
}
