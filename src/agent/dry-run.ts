import type { Failure } from '../base/errors.ts';
import type { OutputConfig } from '../config/config.ts';
import { EXEC_ENVIRONMENT } from '../config/place.ts';
import { createEnvSink } from '../deliver/env/env-sink.ts';
import type { Sink } from '../deliver/sink.ts';
import type { Renderer } from '../render/render.ts';
import type { AgentContext } from './context.ts';
import { type InitOptions, init } from './init.ts';
import type { Plan, PlannedEnvironment, PlannedOutput } from './plan.ts';

/** What one output would publish. */
export interface DryOutput {
  readonly output: OutputConfig;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The same files, with a mark in the place of each secret value. */
  readonly masked: ReadonlyMap<string, Uint8Array>;
}

export interface DryRun {
  /** The outputs that could be rendered, in the order of the plan. */
  readonly outputs: readonly DryOutput[];
  /** The failures of `init`. */
  readonly failures: readonly Failure[];
}

/**
 * What `init` would publish, and which variables the child of `exec` would get: the same pipeline, with sinks that keep
 * nothing and without reloads. Its logins are revoked at the end, and with them the leases, so that nothing is left
 * behind.
 */
export async function dryRun(plan: Plan, context: AgentContext, options: InitOptions): Promise<DryRun> {
  const rendered = new Map<string, DryOutput>();
  const all = plan.env === undefined ? plan.outputs : [...plan.outputs, asFiles(plan.env)];
  const outputs = all.map((planned) => recorded(planned, (output) => rendered.set(planned.output.name, output)));
  const failures = await init(
    { ...plan, outputs },
    { ...context, emit: (fact) => (fact.kind === 'output-published' ? undefined : context.emit(fact)) },
    { ...options, createSink, keepLogins: false },
  );
  const inOrder = all.map(({ output }) => rendered.get(output.name));
  return { outputs: inOrder.filter((output) => output !== undefined), failures };
}

/** The environment of the child of `exec` as an output of files, one for each variable. */
function asFiles({ output, renderer }: PlannedEnvironment): PlannedOutput {
  const place = { dir: EXEC_ENVIRONMENT, mode: 0o400, requireTmpfs: false, reload: [] };
  return { output: { ...output, ...place }, renderer, requests: new Map() };
}

/** The environment gets the sink of a real child, which refuses what no variable can hold. */
function createSink({ name }: OutputConfig): Sink {
  return name === EXEC_ENVIRONMENT ? createEnvSink(EXEC_ENVIRONMENT) : NOWHERE;
}

/** `planned` without its reloads and checks, whose renderer also passes what it rendered to `record`. */
function recorded(planned: PlannedOutput, record: (output: DryOutput) => void): PlannedOutput {
  const { output, renderer } = planned;
  const recording: Renderer = {
    ...renderer,
    async render(snapshot) {
      const real = await renderer.render(snapshot);
      if (real.kind !== 'files') return real;
      const masked = await renderer.render(snapshot, { masked: true });
      if (masked.kind !== 'files') return masked;
      record({ output, files: real.files, masked: masked.files });
      return real;
    },
  };
  const { check: _check, verify: _verify, ...rest } = output;
  return { ...planned, output: { ...rest, reload: [] }, renderer: recording };
}

/** A sink that takes everything and keeps nothing. */
export const NOWHERE: Sink = {
  recover: async () => ({ generation: undefined, removed: 0, tmpfs: undefined }),
  stage: async () => ({
    dir: '',
    generation: 1,
    commit: async () => ({ generation: 1, first: true }),
    isIntact: async () => true,
    discard: async () => {},
  }),
  earlier: async () => undefined,
  kept: async () => [],
  hold: async () => {},
  mark: { owed: async () => undefined, advance: async () => {}, settle: async () => {} },
  sweep: async () => undefined,
};
