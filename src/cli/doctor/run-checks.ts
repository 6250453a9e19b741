import { planOf } from '../../agent/create-plan.ts';
import { BACKEND_KINDS } from '../../backend/registry.ts';
import { systemClock } from '../../base/clock.ts';
import { failuresOf, PannierError, ProblemsError } from '../../base/errors.ts';
import { type Check, Examination } from '../../base/examination.ts';
import { version } from '../../base/version.ts';
import type { BackendConfig, Config } from '../../config/config.ts';
import { readEnvironment } from '../../config/environment.ts';
import { kindOf } from '../../config/sections/backends/kind.ts';
import { requestsTo } from '../requests-to.ts';
import { type CommonOptions, readConfig } from '../setup.ts';
import { checkAgents } from './check-agents.ts';
import { checkCommands } from './check-commands.ts';
import { checkDestination } from './check-destination.ts';
import { checkListeners } from './check-listeners.ts';
import { checkLogFile } from './check-log-file.ts';

/**
 * Runs all checks and yields them by area, in the order of causes. The areas run at the same time, since none depends
 * on another, once the configuration is read.
 */
export async function* runChecks(options: CommonOptions, signal: AbortSignal): AsyncGenerator<readonly Check[]> {
  const examination = new Examination(systemClock, signal);
  const config = await checkConfiguration(examination, options);
  yield examination.checks;
  if (config === undefined) return;
  const area = async (look: (examination: Examination) => Promise<void>): Promise<readonly Check[]> => {
    const own = new Examination(systemClock, signal);
    await look(own);
    return own.checks;
  };
  const areas = [
    area((own) => checkTemplates(own, config)),
    ...[...config.backends.values()].map((backend) => area((own) => checkBackend(own, backend, config))),
    ...[...config.outputs.values()].map((output) => area((own) => checkDestination(own, output))),
    area((own) => checkAgents(own, config)),
    area((own) => checkListeners(own, config)),
    area((own) => checkCommands(own, config)),
    area((own) => checkLogFile(own, config)),
  ];
  for (const checks of areas) yield await checks;
}

/** Reads the configuration; undefined when it has problems, which are noted. */
async function checkConfiguration(examination: Examination, options: CommonOptions): Promise<Config | undefined> {
  let config: Config;
  try {
    config = await readConfig(options);
  } catch (error) {
    if (!(error instanceof ProblemsError || error instanceof PannierError)) throw error;
    for (const failed of failuresOf(error, 'configuration')) examination.refuse('configuration', failed);
    const why = 'everything else needs the configuration';
    for (const check of ['backend', 'destination', 'listener', 'reload']) examination.skip(check, 'configuration', why);
    return undefined;
  }
  const { files, backends, secrets, outputs, warnings } = config;
  const counts = [
    [files.length, 'file'],
    [backends.size, 'backend'],
    [secrets.size, 'secret'],
    [outputs.size, 'output'],
  ] as const;
  const seen = counts.map(([number, noun]) => `${number} ${noun}${number === 1 ? '' : 's'}`).join(', ');
  examination.pass('configuration', 'configuration', seen);
  for (const warning of warnings) examination.warn('configuration', warning);
  return config;
}

async function checkTemplates(examination: Examination, config: Config): Promise<void> {
  try {
    await planOf(config, systemClock.wallMs());
  } catch (error) {
    for (const failed of failuresOf(error, 'outputs')) examination.refuse('template', failed);
    return;
  }
  const contents = [...config.outputs.values()].flatMap(({ files }) => [...files.values()]);
  const count = contents.filter(({ content }) => content.kind !== 'format').length;
  if (count === 0) return;
  examination.pass('template', 'outputs', `${count} template${count === 1 ? '' : 's'} can be parsed`);
}

async function checkBackend(examination: Examination, config: BackendConfig, whole: Config): Promise<void> {
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
  if (examine === undefined) examination.skip('backend', `backends.${config.name}`, `no checks for ${config.kind}`);
  else await examine({ config, secrets: requestsTo(config.name, whole), context }, examination);
}
