import type { Plan } from '../agent/plan.ts';
import { type Failure, failuresOf, formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import type { ConfigText } from '../config/problems/marks.ts';
import { print, printLines, tell } from './print.ts';
import { progressOnTerminal } from './progress.ts';
import { type CommonOptions, loadPlan, printProblems } from './setup.ts';

export interface ValidateCommandOptions extends CommonOptions {
  /** Prints a document for programs instead of lines for people. */
  readonly json?: boolean;
}

/** `pannier validate`: checks configuration and templates without asking any backend. Returns the exit status. */
export async function validateCommand(options: ValidateCommandOptions): Promise<number> {
  const { json = false } = options;
  using progress = await progressOnTerminal();
  try {
    const { config, warnings } = await loadPlan(options, { placeWarnings: true, finish: lookClosely });
    progress?.end();
    const { secrets, outputs } = config;
    if (json)
      await printDocument({ valid: true, secrets: secrets.size, outputs: outputs.size, warnings, problems: [] });
    else {
      for (const warning of warnings) tell(`warning: ${formatFailure(warning)}\n`);
      await printLines(`valid: ${count(secrets.size, 'secret')}, ${count(outputs.size, 'output')}\n`);
    }
    return 0;
  } catch (error) {
    progress?.end();
    const isKnown = error instanceof ProblemsError || error instanceof PannierError;
    if (json && isKnown)
      await printDocument({ valid: false, warnings: [], problems: failuresOf(error, 'configuration') });
    else printProblems(error);
    return 2;
  }
}

/**
 * The plan whose warnings about what nothing uses have positions too; those of the configuration have theirs.
 * @throws ProblemsError for fields that no certificate has.
 */
async function lookClosely(plan: Plan, texts: readonly ConfigText[]): Promise<Plan> {
  const { unknownCertificateFields } = await import('../agent/certificate-fields.ts');
  const problems = await unknownCertificateFields(plan);
  if (problems.length > 0) throw new ProblemsError(problems);
  const { warnings: placedAlready } = plan.config;
  const { placed } = await import('../config/problems/positions.ts');
  const { failures } = await placed(new ProblemsError(plan.warnings.slice(placedAlready.length)), texts);
  return { ...plan, warnings: [...placedAlready, ...failures] };
}

interface Document {
  readonly valid: boolean;
  readonly secrets?: number;
  readonly outputs?: number;
  readonly warnings: readonly Failure[];
  readonly problems: readonly Failure[];
}

async function printDocument({ warnings, problems, ...rest }: Document): Promise<void> {
  const told = ({ code, place, seen, hint, at }: Failure) => ({ code, place, seen, hint, ...at });
  const document = { ...rest, warnings: warnings.map(told), problems: problems.map(told) };
  await print(`${JSON.stringify(document, null, 2)}\n`);
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
