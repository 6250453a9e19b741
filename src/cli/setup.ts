import type { AgentContext } from '../agent/context.ts';
import { allProblems, planOf } from '../agent/create-plan.ts';
import type { Plan } from '../agent/plan.ts';
import { BACKEND_KINDS, SCHEMA_TABLES } from '../backend/registry.ts';
import { systemClock } from '../base/clock.ts';
import { formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import { version } from '../base/version.ts';
import type { Config } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { ConfigProblemsError } from '../config/problems/config-problems.ts';
import { type Log, openLog } from './open-log.ts';
import { tuneForLargeConfig } from './sparing.ts';

export interface CommonOptions {
  /** From `-c`, repeatable; PANNIER_CONFIG when empty, and then `pannier.yaml`. */
  readonly config: readonly string[];
}

/** What the commands share on their way in. */
export interface Setup {
  readonly plan: Plan;
  readonly context: AgentContext;
  readonly log: Log;
}

/**
 * Reads and checks the configuration and its templates.
 * @param onRead see `LoadOptions`.
 * @throws ProblemsError or PannierError when anything in it is not good.
 */
export async function loadPlan(options: CommonOptions, onRead?: OnRead): Promise<Plan> {
  const readAtWallMs = systemClock.wallMs();
  return await planOf(await readConfig(options, onRead), readAtWallMs);
}

type OnRead = (length: number, text: string) => void;

/**
 * Reads and checks the configuration, and its templates only when something in it is not good.
 * @throws as `loadPlan` does.
 */
export async function readConfig(options: CommonOptions, onRead: OnRead = () => {}): Promise<Config> {
  const { loadConfig } = await import('../config/load.ts');
  try {
    return await loadConfig({
      kinds: BACKEND_KINDS,
      tables: SCHEMA_TABLES,
      paths: options.config,
      env: readEnvironment(),
      cwd: process.cwd(),
      onRead,
    });
  } catch (error) {
    throw error instanceof ConfigProblemsError ? await allProblems(error) : error;
  }
}

/** `loadPlan`, with the log opened, the start and the configuration's warnings told. */
export async function setUp(command: string, options: CommonOptions): Promise<Setup> {
  const plan = await loadPlan(options, tuneForLargeConfig);
  const { secrets, outputs, warnings, log } = plan.config;
  const opened = await openLog(log);
  const { emit } = opened;
  emit({ kind: 'agent-started', version, command, secrets: secrets.size, outputs: outputs.size });
  for (const warning of warnings) emit({ kind: 'agent-warning', warning });
  return {
    plan,
    context: { clock: systemClock, random: Math.random, emit, env: readEnvironment(), version },
    log: opened,
  };
}

/** The problems of a configuration on standard error, a line each; anything else is thrown on. */
export function printProblems(error: unknown): void {
  if (error instanceof ProblemsError) {
    for (const failed of error.failures) process.stderr.write(`${formatFailure(failed)}\n`);
    const count = error.failures.length;
    if (count > 1) process.stderr.write(`${count} problems\n`);
  } else if (error instanceof PannierError) process.stderr.write(`${error.message}\n`);
  else throw error;
}
