import { init as initPlan } from './agent/init.ts';
import type { Plan } from './agent/plan.ts';
import { run as runPlan } from './agent/run.ts';
import { BACKEND_KINDS } from './backend/registry.ts';
import { systemClock } from './base/clock.ts';
import type { Failure } from './base/errors.ts';
import type { Emit } from './base/fact.ts';
import { version } from './base/version.ts';
import { loadPlan } from './cli/setup.ts';
import { readEnvironment } from './config/environment.ts';

export type * from './backend/aws/config/config.ts';
export type * from './backend/file/config.ts';
export type * from './backend/vault/config/config.ts';
/**
 * What a program gets that runs the agent inside its own process (`import { init } from 'pannier'`). Nothing here
 * prints, ends the process, or listens to signals; importing it starts nothing.
 */
export type { Code } from './base/codes.ts';
export { type Failure, formatFailure, PannierError, ProblemsError } from './base/errors.ts';
export type { Emit, Fact } from './base/fact.ts';
export type * from './config/config.ts';
export type { Plan };
export { version };

export interface Options {
  /** Hears everything that happens, and no value. It must not throw. */
  readonly emit?: Emit;
  /** Stops the work. */
  readonly signal?: AbortSignal;
}

export interface InitOptions extends Options {
  /** 60 seconds when absent, as of `pannier init`. */
  readonly timeoutMs?: number;
}

/** The JSON Schema (draft 2020-12) of one configuration file, as `pannier schema` prints it. */
export async function exportJsonSchema(): Promise<object> {
  return (await import('./config/json-schema.ts')).exportJsonSchema(BACKEND_KINDS);
}

/**
 * Reads configuration files or directories (when `paths` is empty PANNIER_CONFIG, else `pannier.yaml`) and checks them
 * with their templates, as `pannier validate` does; no backend is asked.
 * @throws ProblemsError or PannierError when anything is not good.
 */
export function load(paths: readonly string[]): Promise<Plan> {
  return loadPlan({ config: paths });
}

/**
 * `pannier init`: fetches once and publishes.
 * @returns what prevented it; empty when all is done, and when `signal` stopped it.
 */
export function init(plan: Plan, { timeoutMs = 60_000, ...options }: InitOptions = {}): Promise<readonly Failure[]> {
  return initPlan(plan, context(options), { timeoutMs, signal: options.signal ?? new AbortController().signal });
}

/**
 * `pannier run`, on one configuration: keeps everything fresh until `signal` aborts, or somebody who may asks it to
 * stop over the API.
 * @returns no failures after a stop; else those that kept it from beginning.
 */
export function run(plan: Plan, options: Options & { readonly signal: AbortSignal }): Promise<readonly Failure[]> {
  const asked = new AbortController();
  const signal = AbortSignal.any([options.signal, asked.signal]);
  return runPlan(plan, context(options), { signal, stop: () => asked.abort() });
}

function context({ emit = () => {} }: Options) {
  return { clock: systemClock, random: Math.random, emit, env: readEnvironment(), version };
}
