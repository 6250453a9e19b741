import { type PlannedOutput, planOutputs } from '../agent/plan.ts';
import type { Surroundings } from '../agent/registry.ts';
import { systemClock } from '../base/clock.ts';
import { formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import type { Config } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { createLogger } from '../log/logger.ts';
import { version } from './version.ts';

export interface CommonOptions {
  /** From `-c`, repeatable; PANNIER_CONFIG when empty. */
  readonly config: readonly string[];
}

/** What the commands share on their way in. */
export interface Setup {
  readonly config: Config;
  readonly planned: readonly PlannedOutput[];
  readonly around: Surroundings;
}

/**
 * Reads and checks the configuration and its templates.
 * @throws ProblemsError or PannierError when anything in it is not good.
 */
export async function loadPlan(options: CommonOptions): Promise<Pick<Setup, 'config' | 'planned'>> {
  const { loadConfig } = await import('../config/load.ts');
  const config = await loadConfig({ paths: [...options.config], env: readEnvironment(), cwd: process.cwd() });
  return { config, planned: await planOutputs(config) };
}

/** `loadPlan`, with the log opened and the configuration's warnings told. */
export async function setUp(options: CommonOptions): Promise<Setup> {
  const { config, planned } = await loadPlan(options);
  const { level, format } = config.log;
  const isPretty = format === 'pretty' || (format === 'auto' && process.stderr.isTTY === true);
  const emit = await createLogger({ level, format: isPretty ? 'pretty' : 'json' });
  for (const warning of config.warnings) emit({ kind: 'agent-warning', warning });
  const env = readEnvironment();
  return { config, planned, around: { clock: systemClock, random: Math.random, emit, env, version } };
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
