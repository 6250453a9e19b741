import type { Backend } from '../../backend/backend.ts';
import { type Failure, failure } from '../../base/errors.ts';
import type { BackendConfig, SecretConfig } from '../../config/config.ts';
import { etagOf } from '../../deliver/api/etag.ts';
import type {
  AwsOnDemandStatus,
  BackendStatus,
  FailureStatus,
  OutputStatement,
  OutputStatus,
  SdsStatus,
  SecretStatus,
  Status,
} from '../../deliver/api/status.ts';
import type { SdsRefusal } from '../../deliver/sds/status.ts';
import { configIdentity } from '../../observe/config-identity.ts';
import { statementOf } from '../../observe/statement.ts';
import type { Plan, PlannedEnvironment, PlannedOutput } from '../plan.ts';
import type { AgentView } from './agent-view.ts';
import { certificateStatus } from './certificate-status.ts';

/**
 * The answer of `GET /v1/status`.
 * @param sees whether a secret may be named. What has to do only with other secrets is left out, and so is an output
 * that needs a single other one.
 */
export function statusOf(view: AgentView, sees: (secret: string) => boolean): Status {
  const plan = view.plan();
  const { config, readAtWallMs } = plan;
  const secrets = [...config.secrets.values()].filter(({ name }) => sees(name));
  const seesAll = secrets.length === config.secrets.size;
  const backends = new Set(secrets.map(({ backend }) => backend));
  return {
    version: view.version,
    bootId: view.bootId,
    startedAt: timeOf(view.startedWallMs),
    now: timeOf(view.clock.wallMs()),
    configuration: {
      files: seesAll ? [...config.files] : [],
      readAt: timeOf(readAtWallMs),
      identity: configIdentity(config),
      refused: seesAll ? view.refusedConfig().map(failureStatus) : [],
    },
    backends: [...config.backends.values()]
      .filter(({ name }) => seesAll || backends.has(name))
      .flatMap((backend) => backendStatus(backend, view)),
    secrets: [
      ...secrets.map(({ name }) => secretStatus(name, view)),
      ...(seesAll ? computedSecrets(view) : []).map((secret) => statusOfSecret(secret, view)),
    ],
    outputs: outputsOf(plan)
      .filter(({ renderer }) => seesAll || (renderer.asks.size === 0 && [...renderer.wants].every(sees)))
      .flatMap((output) => outputStatus(output, view)),
    ...sdsStatus(view, sees),
    ...(seesAll ? awsStatus(view) : {}),
  };
}

/**
 * @param name of a configured or a computed secret.
 * @throws TypeError for another name.
 */
export function secretStatus(name: string, view: AgentView): SecretStatus {
  const configured = view.plan().config.secrets.get(name);
  if (configured !== undefined) return statusOfSecret(configured, view);
  const computed = computedSecrets(view).find((secret) => secret.name === name);
  if (computed === undefined) throw new TypeError(`there is no secret named ${name}`);
  return statusOfSecret(computed, view);
}

interface KnownSecret extends Pick<SecretConfig, 'name' | 'backend' | 'request' | 'optional' | 'place'> {
  /** The outputs whose templates computed its path; absent: it is configured. */
  readonly outputs?: readonly string[];
}

/**
 * The computed secrets. Each counts as optional: the template says whether it must be there, so one that the backend
 * does not have is absent and no trouble.
 */
function computedSecrets(view: AgentView): readonly KnownSecret[] {
  const known = new Map<string, KnownSecret & { readonly outputs: string[] }>();
  for (const [output, computed] of view.outputs.computed()) {
    for (const [name, { backend, request, place }] of computed) {
      const before = known.get(name);
      if (before !== undefined) before.outputs.push(output);
      else known.set(name, { name, backend, request, place, optional: true, outputs: [output] });
    }
  }
  return [...known.values()];
}

function statusOfSecret(
  { name, backend, request, optional, place, outputs }: KnownSecret,
  view: AgentView,
): SecretStatus {
  const entry = view.secrets.entryOf(name);
  const nextMs = view.secrets.nextMonoMs(name);
  const common = {
    name,
    backend,
    kind: request.kind,
    optional,
    ...(outputs === undefined ? {} : { computed: { place, outputs: [...outputs] } }),
    ...(nextMs === undefined ? {} : { nextAt: wallTimeOf(nextMs, view) }),
  };
  if (entry === undefined) {
    const why =
      view.backends.byName().get(backend)?.trouble?.() ?? failure('SECRET_NEVER_FETCHED', place, 'no answer yet');
    return { ...common, state: 'waiting', failure: failureStatus(why) };
  }
  if (entry.state === 'absent') return { ...common, state: 'absent', failure: failureStatus(entry.why) };
  const endsMs = view.secrets.endsMonoMs(name);
  return {
    ...common,
    state: entry.state,
    version: entry.value.version,
    etag: etagOf(view.bootId, entry.valueNumber),
    changedAt: timeOf(entry.changedWallMs),
    fetchedAt: timeOf(entry.fetchedWallMs),
    ageSeconds: Math.max(0, Math.floor((view.clock.wallMs() - entry.fetchedWallMs) / 1000)),
    life: entry.value.life.kind,
    ...(endsMs === undefined ? {} : { endsAt: wallTimeOf(endsMs, view) }),
    ...certificateStatus(entry.value),
    ...(entry.why === undefined ? {} : { failure: failureStatus(entry.why) }),
    ...(entry.value.warning === undefined ? {} : { warning: failureStatus(entry.value.warning) }),
  };
}

/** What Envoy can ask for, of the secrets that may be named. */
function sdsStatus({ sds: { hub }, plan }: AgentView, sees: (secret: string) => boolean): { sds?: SdsStatus } {
  if (hub === undefined || plan().config.sds === undefined) return {};
  const served = hub.served().filter(({ secrets }) => secrets.every(sees));
  return {
    sds: {
      streams: hub.streams,
      ...(hub.onDemand === undefined ? {} : { onDemand: hub.onDemand }),
      secrets: served.map(({ secrets, why, refusal, ...one }) => ({
        ...one,
        secrets: [...secrets],
        ...(why === undefined ? {} : { failure: failureStatus(why) }),
        ...(refusal === undefined ? {} : { refused: refusedStatus(refusal) }),
      })),
    },
  };
}

/** What listeners read on demand by AWS's protocol, in numbers: the names are the clients'. */
function awsStatus({ awsOnDemand }: AgentView): { awsOnDemand?: AwsOnDemandStatus[] } {
  if (awsOnDemand.size === 0) return {};
  return {
    awsOnDemand: [...awsOnDemand].map(([listener, { values, max, requests }]) => {
      return { listener, values, max, requests: Object.fromEntries(requests) };
    }),
  };
}

function refusedStatus({ atWallMs, version, node, why }: SdsRefusal) {
  return { at: timeOf(atWallMs), version, node, seen: why.seen };
}

/** Undefined when there is no output of this name. */
export function outputStatusOf(name: string, view: AgentView): OutputStatus | undefined {
  const planned = outputsOf(view.plan()).find(({ output }) => output.name === name);
  return planned && outputStatus(planned, view)[0];
}

/** Empty for a backend that is not open, since no secret needs it. */
function backendStatus(config: BackendConfig, view: AgentView): BackendStatus[] {
  const backend: Backend | undefined = view.backends.byName().get(config.name);
  if (backend === undefined) return [];
  const login = backend.login?.();
  const why = backend.trouble?.() ?? backend.circuit?.()?.failure;
  const endsAt = login?.endsMonoMs === undefined ? {} : { endsAt: wallTimeOf(login.endsMonoMs, view) };
  return [
    {
      name: config.name,
      kind: config.kind,
      ...(config.address === undefined ? {} : { address: config.address }),
      ...(login === undefined ? {} : { login: { method: login.method, state: login.state, ...endsAt } }),
      ...circuitStatus(backend, view),
      ...feedStatus(backend),
      ...(why === undefined ? {} : { failure: failureStatus(why) }),
    },
  ];
}

function circuitStatus(backend: Backend, view: AgentView): Pick<BackendStatus, 'circuit'> {
  const circuit = backend.circuit?.();
  if (circuit === undefined) return {};
  const { state, probeMonoMs } = circuit;
  return { circuit: { state, ...(probeMonoMs === undefined ? {} : { probeAt: wallTimeOf(probeMonoMs, view) }) } };
}

function feedStatus(backend: Backend): Pick<BackendStatus, 'events'> {
  const feed = backend.feed?.();
  if (feed === undefined) return {};
  const { isUp, sinceWallMs, events, lastEventWallMs, failure: why } = feed;
  return {
    events: {
      state: isUp ? 'up' : 'down',
      since: timeOf(sinceWallMs),
      told: events,
      ...(lastEventWallMs === undefined ? {} : { lastAt: timeOf(lastEventWallMs) }),
      ...(why === undefined ? {} : { failure: failureStatus(why) }),
    },
  };
}

/** The outputs of a plan; the environment of `exec` is one of them, when the plan has one. */
function outputsOf({ outputs, env }: Plan): readonly (PlannedOutput | PlannedEnvironment)[] {
  return env === undefined ? outputs : [...outputs, env];
}

function outputStatus({ output, renderer }: PlannedOutput | PlannedEnvironment, view: AgentView): OutputStatus[] {
  const { name } = output;
  const state = view.outputs.states().get(name);
  if (state === undefined) return [];
  const { kind } = state;
  const dir = 'dir' in output ? { dir: output.dir } : {};
  const kept = view.outputs.kept(name);
  const earlier = kept.length === 0 ? {} : { kept: [...kept] };
  const statement = outputStatement(name, view);
  const stated = statement === undefined ? {} : { statement };
  const common = { name, ...dir, state: kind, secrets: [...renderer.wants], ...earlier, ...stated };
  if (kind === 'waiting') return [{ ...common, missing: [...state.missing] }];
  if (kind === 'failed') return [{ ...common, failure: failureStatus(state.why) }];
  const why = state.why !== undefined ? { failure: failureStatus(state.why) } : {};
  const { held, drift } = state;
  const taken = held?.generation === undefined ? {} : { generation: held.generation };
  const holding = held === undefined ? {} : { held: { ...taken, failure: failureStatus(held.why) } };
  const drifted = drift === undefined ? {} : { drift: failureStatus(drift) };
  const due = kind === 'owed' && state.dueMonoMs !== undefined ? { reloadAt: wallTimeOf(state.dueMonoMs, view) } : {};
  return [{ ...common, generation: state.generation, ...due, ...why, ...holding, ...drifted }];
}

/** What an output has published; undefined: nothing, or it is not known yet. */
export function outputStatement(name: string, view: AgentView): OutputStatement | undefined {
  const statement = statementOf(name, view);
  if (statement === undefined) return undefined;
  const { generation, of, isBehind: behind } = statement;
  if (of === undefined) return { generation };
  const { atWallMs, configuration, sources, version, secrets } = of;
  const nowMs = view.clock.wallMs();
  return {
    generation,
    ...(atWallMs === undefined ? {} : { publishedAt: timeOf(atWallMs) }),
    sources,
    ...(configuration === undefined ? {} : { configuration }),
    version,
    secrets: secrets.map((one) => ({
      name: one.name,
      version: one.version,
      own: one.isOwn,
      fetchedAt: timeOf(one.fetchedWallMs),
      ageSeconds: Math.max(0, Math.floor((nowMs - one.fetchedWallMs) / 1000)),
      ...(one.isCurrent === undefined ? {} : { current: one.isCurrent }),
    })),
    ...(behind === undefined ? {} : { behind }),
  };
}

function failureStatus({ code, place, seen, hint }: Failure): FailureStatus {
  return { code, place, seen, hint };
}

function wallTimeOf(monoMs: number, { clock }: AgentView): string {
  return timeOf(clock.wallMs() + monoMs - clock.monoMs());
}

/** The last time that a `Date` can tell: a secret may live longer. */
const MAX_WALL_MS = 8.64e15;

const timeOf = (wallMs: number): string => new Date(Math.min(wallMs, MAX_WALL_MS)).toISOString();
