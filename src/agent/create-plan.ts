import { BACKEND_KINDS } from '../backend/registry.ts';
import { type Failure, PannierError, ProblemsError } from '../base/errors.ts';
import type { Config, OutputConfig } from '../config/config.ts';
import type { CheckableRest, ConfigProblemsError } from '../config/problems/config-problems.ts';
import { kindOf } from '../config/sections/backends/kind.ts';
import type { PathRequests } from '../config/sections/backends/path-requests.ts';
import type { Renderer } from '../render/render.ts';
import type { RequestRenderer } from '../render/request.ts';
import type { Plan, PlannedEnvironment, PlannedOutput } from './plan.ts';
import { hasClients, servedBackends, servedSecrets } from './serve/served.ts';

/**
 * Parses and checks every template and format of a configuration.
 * @param readAtWallMs when reading the configuration began.
 * @param kinds of backends that the configuration may use.
 * @throws ProblemsError with the problems of all outputs.
 */
export async function planOf(config: Config, readAtWallMs: number, kinds = BACKEND_KINDS): Promise<Plan> {
  const { outputs, env, problems } = await planOutputs(config, namesKnownTo(config, kinds));
  if (problems.length > 0) throw new ProblemsError(problems);
  const unused = await warningsOfUnused(config, [...outputs, ...(env === undefined ? [] : [env])]);
  const warnings = [...config.warnings, ...unused];
  return { config, outputs, ...(env === undefined ? {} : { env }), warnings, readAtWallMs };
}

/** The names that the templates of a configuration may use. */
export function namesKnownTo({ backends, secrets }: Config, kinds = BACKEND_KINDS): CheckableRest['known'] {
  const computable = new Map<string, PathRequests>();
  for (const backend of backends.values()) {
    const { pathRequests } = kindOf(kinds, backend);
    if (pathRequests !== undefined) computable.set(backend.name, pathRequests);
  }
  return { secrets: new Set(secrets.keys()), backends: computable };
}

/** Warnings about what nothing uses. At most starts the counts alone show that there are none. */
async function warningsOfUnused(
  config: Config,
  rendered: readonly { readonly renderer: Renderer }[],
): Promise<readonly Failure[]> {
  const { secrets, backends } = config;
  const isIdle = rendered.length === 0 && !hasClients(config);
  const read = new Set(servedSecrets(config));
  const asked = new Set(servedBackends(config));
  for (const { renderer } of rendered) {
    for (const name of renderer.wants) read.add(name);
    for (const name of renderer.asks) asked.add(name);
  }
  for (const { backend } of secrets.values()) asked.add(backend);
  if (config.state?.key.from === 'wrapped') asked.add(config.state.key.backend);
  if (!isIdle && read.size === secrets.size && asked.size === backends.size) return [];
  return (await import('./unused.ts')).warningsOfUnused(config, { read, asked, isIdle });
}

/**
 * What is wrong with a configuration that could not be loaded: its own problems, and those in the templates of every
 * output whose own configuration is good, so that correcting the first does not bring up the second.
 */
export async function allProblems({ failures, rest }: ConfigProblemsError): Promise<ProblemsError> {
  if (rest === undefined) return new ProblemsError(failures);
  const { problems } = await planOutputs(rest, rest.known);
  return new ProblemsError([...failures, ...problems]);
}

async function planOutputs(configured: Pick<Config, 'outputs' | 'exec'>, known: CheckableRest['known']) {
  const { createRenderer } = await import('../render/renderer.ts');
  const problems: Failure[] = [];
  const outputs: PlannedOutput[] = [];
  for (const output of configured.outputs.values()) {
    const requests = await requestsOf(output, known, problems);
    const requested = [...requests.values()].flatMap(({ wants }) => [...wants]);
    const renderer = await collecting(problems, () => createRenderer(output, known, undefined, requested));
    if (renderer !== undefined) outputs.push({ output, renderer, requests });
  }
  const { env: output } = configured.exec;
  const renderer = output && (await collecting(problems, () => createRenderer(output, known)));
  const env: PlannedEnvironment | undefined = renderer && { output, renderer };
  return { outputs, env, problems };
}

async function requestsOf(
  { reload, verify }: OutputConfig,
  known: CheckableRest['known'],
  problems: Failure[],
): Promise<ReadonlyMap<string, RequestRenderer>> {
  const requests = new Map<string, RequestRenderer>();
  for (const step of verify === undefined ? reload : [...reload, verify.ask]) {
    if (step.kind !== 'http') continue;
    const { createRequestRenderer } = await import('../render/request.ts');
    const request = await collecting(problems, () => createRequestRenderer(step, known));
    if (request !== undefined) requests.set(step.place, request);
  }
  return requests;
}

/** What `make` resolves to; undefined when it fails with problems, which go into `problems`. */
async function collecting<T>(problems: Failure[], make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof ProblemsError) problems.push(...error.failures);
    else if (error instanceof PannierError) problems.push(error.failure);
    else throw error;
    return undefined;
  }
}
