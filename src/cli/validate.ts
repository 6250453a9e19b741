import { formatFailure } from '../base/errors.ts';
import { type CommonOptions, loadPlan, printProblems } from './setup.ts';

/** `pannier validate`: checks configuration and templates without asking any backend. Returns the exit status. */
export async function validateCommand(options: CommonOptions): Promise<number> {
  try {
    const { config } = await loadPlan(options);
    for (const warning of config.warnings) process.stderr.write(`warning: ${formatFailure(warning)}\n`);
    process.stdout.write(`valid: ${count(config.secrets.size, 'secret')}, ${count(config.outputs.size, 'output')}\n`);
    return 0;
  } catch (error) {
    printProblems(error);
    return 2;
  }
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
