import type { Plan } from '../../agent/plan.ts';
import { usedBackends } from '../../agent/used-backends.ts';
import { isIdle, usedSecrets } from '../../agent/used-secrets.ts';
import type { Fetched } from '../../backend/backend.ts';
import { BACKEND_KINDS } from '../../backend/registry.ts';
import { systemClock } from '../../base/clock.ts';
import { type Check, Examination } from '../../base/examination.ts';
import { version } from '../../base/version.ts';
import type { BackendConfig } from '../../config/config.ts';
import { readEnvironment } from '../../config/environment.ts';
import { kindOf } from '../../config/sections/backends/kind.ts';
import { requestsOnDemand } from '../requests-on-demand.ts';
import type { CommonOptions } from '../setup.ts';
import { checkAgents } from './check-agents.ts';
import { checkCommands } from './check-commands.ts';
import { checkDestination } from './check-destination.ts';
import { checkListeners } from './check-listeners.ts';
import { checkLogFile } from './check-log-file.ts';
import { checkRendering } from './check-rendering.ts';
import { checkState } from './check-state.ts';
import { checkTemplates, type ReadPlan, readPlan } from './read-plan.ts';

/**
 * Runs all checks and yields them by area, in the order of causes. The areas run at the same time, since none depends
 * on another, once the configuration is read.
 */
export async function* runChecks(options: CommonOptions, signal: AbortSignal): AsyncGenerator<readonly Check[]> {
  const examination = new Examination(systemClock, signal);
  const read = await readPlan(examination, options);
  yield examination.checks;
  if (read === undefined) return;
  const { config } = read;
  const values = new Map<string, Fetched | 'absent'>();
  const area = async (look: (examination: Examination) => Promise<void>): Promise<readonly Check[]> => {
    const own = new Examination(systemClock, signal);
    await look(own);
    return own.checks;
  };
  const backends = [...config.backends.values()].map((backend) =>
    area((own) => checkBackend(own, backend, read, values)),
  );
  const areas = [
    area(async (own) => checkTemplates(own, read)),
    ...backends,
    area(async (own) => {
      await Promise.all(backends);
      await checkRendering(own, read, values);
      values.clear();
    }),
    ...[...config.outputs.values()].map((output) => area((own) => checkDestination(own, output))),
    area((own) => checkAgents(own, config)),
    area((own) => checkListeners(own, config)),
    area((own) => checkCommands(own, config)),
    area((own) => checkLogFile(own, config)),
    area((own) => checkState(own, config, readEnvironment())),
  ];
  for (const checks of areas) yield await checks;
}

/** The checks of one backend; `values` gets what they read. */
async function checkBackend(
  examination: Examination,
  config: BackendConfig,
  { config: whole, plan }: ReadPlan,
  values: Map<string, Fetched | 'absent'>,
): Promise<void> {
  const own = [...whole.secrets.values()].filter(({ backend }) => backend === config.name);
  const used = plan === undefined ? undefined : usedSecrets(plan);
  const unused = own.filter(({ name }) => used?.has(name) === false);
  const skipUnused = () => {
    for (const { place } of unused)
      examination.skip('secret', place, 'nothing reads it, so an agent does not fetch it');
  };
  if (plan !== undefined && !isAsked(config, plan)) {
    examination.skip('backend', `backends.${config.name}`, 'nothing asks it, so an agent does not log in there');
    return skipUnused();
  }
  const kind = kindOf(BACKEND_KINDS, config);
  const context = {
    clock: systemClock,
    random: Math.random,
    emit: () => {},
    env: readEnvironment(),
    version,
    kept: new Map(),
  };
  const { examine } = (await kind.loadTools?.()) ?? {};
  const fetched = [...own.filter((secret) => !unused.includes(secret)), ...requestsOnDemand(config.name, whole)];
  const took = (name: string, found: Fetched | 'absent') => void values.set(name, found);
  if (examine === undefined) examination.skip('backend', `backends.${config.name}`, `no checks for ${config.kind}`);
  else await examine({ config, secrets: fetched, context, took }, examination);
  skipUnused();
}

function isAsked({ name }: BackendConfig, plan: Plan): boolean {
  const { state } = plan.config;
  if (isIdle(plan) || (state?.key.from === 'wrapped' && state.key.backend === name)) return true;
  return usedBackends(plan, { withEnvironment: true, isServing: true }).some((used) => used.name === name);
}
