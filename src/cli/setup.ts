import type { AgentContext } from '../agent/context.ts';
import { allProblems, planOf } from '../agent/create-plan.ts';
import type { Plan } from '../agent/plan.ts';
import { tellWarnings } from '../agent/tell-warnings.ts';
import { BACKEND_KINDS, SCHEMA_TABLES } from '../backend/registry.ts';
import { systemClock } from '../base/clock.ts';
import { type Failure, failure, formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import { printableLines } from '../base/printable.ts';
import { version } from '../base/version.ts';
import type { Config } from '../config/config.ts';
import { hasLeftOutOptions, readEnvironment } from '../config/environment.ts';
import type { LoadOptions } from '../config/load.ts';
import { ConfigProblemsError } from '../config/problems/config-problems.ts';
import type { ConfigText } from '../config/problems/marks.ts';
import { createStderrWriter } from '../log/standard-error.ts';
import { type Log, openLog } from './open-log.ts';
import { tell } from './print.ts';
import { tuneForLargeConfig } from './sparing.ts';
import type { Progress } from './terminal/progress.ts';

export interface CommonOptions {
  /** From `-c`, repeatable; PANNIER_CONFIG when empty, and then `pannier.yaml`. */
  readonly config: readonly string[];
}

/** What the commands share on their way in. To be disposed of last: it writes and sends lines that are left. */
export interface Setup extends AsyncDisposable {
  readonly plan: Plan;
  readonly context: AgentContext;
  readonly log: Log;
}

/** How a configuration is read; see `LoadOptions`. */
export interface ReadOptions extends Pick<LoadOptions, 'onRead' | 'placeWarnings'> {
  /** Looks more closely at a plan that is good. @throws ProblemsError */
  readonly finish?: (plan: Plan, texts: readonly ConfigText[]) => Promise<Plan>;
}

/**
 * Reads and checks the configuration and its templates.
 * @throws ProblemsError or PannierError when anything in it is not good.
 */
export async function loadPlan(options: CommonOptions, read: ReadOptions = {}): Promise<Plan> {
  const readAtWallMs = systemClock.wallMs();
  return await withPositions(read, async (reading, texts) => {
    const plan = await planOf(await configBy(options, reading), readAtWallMs);
    return (await read.finish?.(plan, texts)) ?? plan;
  });
}

/**
 * Reads and checks the configuration, and its templates only when something in it is not good.
 * @throws as `loadPlan` does.
 */
export async function readConfig(options: CommonOptions, read: ReadOptions = {}): Promise<Config> {
  return await withPositions(read, (reading) => configBy(options, reading));
}

async function configBy(options: CommonOptions, read: ReadOptions): Promise<Config> {
  const { loadConfig } = await import('../config/load.ts');
  return await loadConfig({
    kinds: BACKEND_KINDS,
    tables: SCHEMA_TABLES,
    paths: options.config,
    env: readEnvironment(),
    cwd: process.cwd(),
    ...read,
  });
}

/** What `make` resolves to; its problems, those of templates too, get the positions of their places. */
async function withPositions<T>(
  read: ReadOptions,
  make: (read: ReadOptions, texts: readonly ConfigText[]) => Promise<T>,
): Promise<T> {
  const texts: ConfigText[] = [];
  const onRead: ReadOptions['onRead'] = (length, file) => {
    texts.push(file);
    read.onRead?.(length, file);
  };
  try {
    return await make({ ...read, onRead }, texts);
  } catch (error) {
    const all = error instanceof ConfigProblemsError ? await allProblems(error) : error;
    throw all instanceof ProblemsError
      ? await (await import('../config/problems/positions.ts')).placed(all, texts)
      : all;
  }
}

/**
 * `loadPlan`, with the log opened, the start and the configuration's warnings told.
 * @param progress told of the configuration and of all facts.
 */
export async function setUp(command: string, options: CommonOptions, progress?: Progress): Promise<Setup> {
  const plan = await loadPlan(options, { onRead: tuneForLargeConfig });
  progress?.know(plan.config);
  const { secrets, outputs, log, traces } = plan.config;
  const context = { clock: systemClock, random: Math.random, env: readEnvironment(), version };
  const ofTraces = traces && (await import('../trace/open.ts')).openTraces(traces, context);
  const tracing = ofTraces?.tracing;
  const traced = tracing && (() => tracing.current());
  const ofLogs = log.otlp && (await import('../otlp/open-logs.ts')).openLogs(log.otlp, traces, { ...context, traced });
  const opened = await openLog(log, {
    ...{ clock: context.clock, random: context.random, traced, sent: ofLogs?.logs },
    isStdoutShared: command === 'exec',
  });
  const emit = progress?.hearing(opened.emit) ?? opened.emit;
  emit({ kind: 'agent-started', version, command, secrets: secrets.size, outputs: outputs.size });
  tellWarnings(plan, emit);
  for (const warning of [...(ofTraces?.warnings ?? []), ...(ofLogs?.warnings ?? [])]) {
    emit({ kind: 'agent-warning', warning });
  }
  if (hasLeftOutOptions()) emit({ kind: 'agent-warning', warning: leftOut() });
  return {
    plan,
    context: { ...context, emit, log: opened, ...(tracing && { tracing }) },
    log: opened,
    [Symbol.asyncDispose]: () => opened.close(),
  };
}

function leftOut(): Failure {
  const seen = 'options that load code or show memory do not apply to Pannier itself; children get them';
  return failure('AGENT_NODE_OPTIONS', 'NODE_OPTIONS', seen);
}

/** The problems of a configuration on standard error, a line each; anything else is thrown on. */
export function printProblems(error: unknown): void {
  if (error instanceof ProblemsError) {
    const count = error.failures.length;
    const lines = [...error.failures.map(formatFailure), ...(count > 1 ? [`${count} problems`] : [])];
    // Not by `process.stderr`: the process ends, and a pipe that is full takes the rest later.
    createStderrWriter()(printableLines(lines.map((line) => `${line}\n`).join('')));
  } else if (error instanceof PannierError) tell(`${error.message}\n`);
  else throw error;
}
