import type { Backend } from '../../backend/backend.ts';
import { type Failure, failure } from '../../base/errors.ts';
import type { BackendConfig, SecretConfig } from '../../config/config.ts';
import { etagOf } from '../../deliver/api/etag.ts';
import type { BackendStatus, FailureStatus, OutputStatus, SecretStatus, Status } from '../../deliver/api/status.ts';
import type { Plan, PlannedEnvironment, PlannedOutput } from '../plan.ts';
import type { AgentView } from './agent-view.ts';

/**
 * The agent as `GET /v1/status` tells it.
 * @param sees the secrets that may be named; what has to do with others only is left out, outputs as soon as they need
 * a single other one.
 */
export function statusOf(view: AgentView, sees: (secret: string) => boolean): Status {
  const plan = view.plan();
  const { config, readAtWallMs } = plan;
  const secrets = [...config.secrets.values()].filter(({ name }) => sees(name));
  const all = secrets.length === config.secrets.size;
  const backends = new Set(secrets.map(({ backend }) => backend));
  return {
    version: view.version,
    bootId: view.bootId,
    startedAt: timeOf(view.startedWallMs),
    now: timeOf(view.clock.wallMs()),
    configuration: {
      files: all ? [...config.files] : [],
      readAt: timeOf(readAtWallMs),
      refused: all ? view.refusedConfig().map(failureStatus) : [],
    },
    backends: [...config.backends.values()]
      .filter(({ name }) => all || backends.has(name))
      .flatMap((one) => backendStatus(one, view)),
    secrets: [
      ...secrets.map(({ name }) => secretStatus(name, view)),
      ...(all ? computedSecrets(view) : []).map((one) => statusOfSecret(one, view)),
    ],
    outputs: outputsOf(plan)
      .filter(({ renderer }) => all || (renderer.asks.size === 0 && [...renderer.wants].every(sees)))
      .flatMap((one) => outputStatus(one, view)),
  };
}

/** @param name a configured one, or that of a computed path. */
export function secretStatus(name: string, view: AgentView): SecretStatus {
  const configured = view.plan().config.secrets.get(name);
  if (configured !== undefined) return statusOfSecret(configured, view);
  const computed = computedSecrets(view).find((one) => one.name === name);
  if (computed === undefined) throw new TypeError(`no secret named ${name}`);
  return statusOfSecret(computed, view);
}

interface KnownSecret extends Pick<SecretConfig, 'name' | 'backend' | 'request' | 'optional' | 'place'> {
  /** By a computed path: the outputs whose templates worked it out. */
  readonly outputs?: readonly string[];
}

/**
 * What is not there is absent and no trouble, as with an optional secret: whether it must be there, the template says.
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
    ...(entry.why === undefined ? {} : { failure: failureStatus(entry.why) }),
  };
}

/** Undefined: there is no such output. */
export function outputStatusOf(name: string, view: AgentView): OutputStatus | undefined {
  const planned = outputsOf(view.plan()).find(({ output }) => output.name === name);
  return planned && outputStatus(planned, view)[0];
}

/** None for a backend that is not opened, since nothing is asked of it. */
function backendStatus(config: BackendConfig, view: AgentView): BackendStatus[] {
  const backend: Backend | undefined = view.backends.byName().get(config.name);
  if (backend === undefined) return [];
  const login = backend.login?.();
  const why = backend.trouble?.();
  const endsAt = login?.endsMonoMs === undefined ? {} : { endsAt: wallTimeOf(login.endsMonoMs, view) };
  return [
    {
      name: config.name,
      kind: config.kind,
      ...(config.address === undefined ? {} : { address: config.address }),
      ...(login === undefined ? {} : { login: { method: login.method, state: login.state, ...endsAt } }),
      ...(why === undefined ? {} : { failure: failureStatus(why) }),
    },
  ];
}

/** The environment of exec is one of them; `run` has none. */
function outputsOf({ outputs, env }: Plan): readonly (PlannedOutput | PlannedEnvironment)[] {
  return env === undefined ? outputs : [...outputs, env];
}

function outputStatus({ output, renderer }: PlannedOutput | PlannedEnvironment, view: AgentView): OutputStatus[] {
  const { name } = output;
  const state = view.outputs.states().get(name);
  if (state === undefined) return [];
  const { kind } = state;
  const dir = 'dir' in output ? { dir: output.dir } : {};
  const common = { name, ...dir, state: kind, secrets: [...renderer.wants] };
  if (kind === 'waiting') return [{ ...common, missing: [...state.missing] }];
  if (kind === 'failed') return [{ ...common, failure: failureStatus(state.why) }];
  const why = state.why !== undefined ? { failure: failureStatus(state.why) } : {};
  return [{ ...common, generation: state.generation, ...why }];
}

function failureStatus({ code, place, seen, hint }: Failure): FailureStatus {
  return { code, place, seen, hint };
}

function wallTimeOf(monoMs: number, { clock }: AgentView): string {
  return timeOf(clock.wallMs() + monoMs - clock.monoMs());
}

/** A life may be longer than a `Date` can tell. */
const LAST_WALL_MS = 8.64e15;

const timeOf = (wallMs: number): string => new Date(Math.min(wallMs, LAST_WALL_MS)).toISOString();
