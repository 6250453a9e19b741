import { planOf } from '../../agent/create-plan.ts';
import type { Plan } from '../../agent/plan.ts';
import { systemClock } from '../../base/clock.ts';
import { type Failure, failuresOf, PannierError, ProblemsError } from '../../base/errors.ts';
import type { Examination } from '../../base/examination.ts';
import type { Config } from '../../config/config.ts';
import type { ConfigText } from '../../config/problems/marks.ts';
import { type CommonOptions, readConfig } from '../setup.ts';

/** A configuration that could be read, and its templates. */
export interface ReadPlan {
  readonly config: Config;
  /** Undefined when a template has a problem; the other checks are made all the same. */
  readonly plan: Plan | undefined;
  /** The problems of the templates. */
  readonly problems: readonly Failure[];
  /** Gives failures the positions of their places in the configuration. */
  position(failures: readonly Failure[]): Promise<readonly Failure[]>;
}

/** Reads the configuration and notes what is seen there; undefined when it has problems. */
export async function readPlan(examination: Examination, options: CommonOptions): Promise<ReadPlan | undefined> {
  const texts: ConfigText[] = [];
  const onRead = (_: number, file: ConfigText) => void texts.push(file);
  const position: ReadPlan['position'] = async (failures) => {
    if (failures.length === 0) return [];
    const { placed } = await import('../../config/problems/positions.ts');
    return (await placed(new ProblemsError(failures), texts)).failures;
  };
  let config: Config;
  try {
    config = await readConfig(options, { placeWarnings: true, onRead });
  } catch (error) {
    if (!(error instanceof ProblemsError || error instanceof PannierError)) throw error;
    for (const failed of failuresOf(error, 'configuration')) examination.refuse('configuration', failed);
    const why = 'everything else needs the configuration';
    for (const check of ['backend', 'destination', 'listener', 'reload']) examination.skip(check, 'configuration', why);
    return undefined;
  }
  let plan: Plan | undefined;
  let problems: readonly Failure[] = [];
  try {
    plan = await planOf(config, systemClock.wallMs());
    const { unknownCertificateFields } = await import('../../agent/certificate-fields.ts');
    problems = await position(await unknownCertificateFields(plan));
  } catch (error) {
    problems = await position(failuresOf(error, 'outputs'));
  }
  const { files, backends, secrets, outputs } = config;
  const counts = [
    [files.length, 'file'],
    [backends.size, 'backend'],
    [secrets.size, 'secret'],
    [outputs.size, 'output'],
  ] as const;
  const seen = counts.map(([number, noun]) => `${number} ${noun}${number === 1 ? '' : 's'}`).join(', ');
  examination.pass('configuration', 'configuration', seen);
  for (const warning of await position((plan ?? config).warnings)) examination.warn('configuration', warning);
  return { config, plan, problems, position };
}

/** Notes what is wrong with the templates, or how many there are. */
export function checkTemplates(examination: Examination, { config, problems }: ReadPlan): void {
  for (const failed of problems) examination.refuse('template', failed);
  if (problems.length > 0) return;
  const contents = [...config.outputs.values()].flatMap(({ files }) => [...files.values()]);
  const count = contents.filter(({ content }) => content.kind !== 'format').length;
  if (count === 0) return;
  examination.pass('template', 'outputs', `${count} template${count === 1 ? '' : 's'} can be parsed`);
}
