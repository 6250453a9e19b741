import { asFailure, exitStatus, formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import { emptyCoreDumps } from '../process/core-dumps.ts';
import { endProcess, listenEarly } from './end-process.ts';
import { tell } from './print.ts';
import { quickChoice } from './quick-choice.ts';
import { runChoice } from './run-choice.ts';
import { printProblems } from './setup.ts';

/** Reads the command line, runs the command it names, and ends the process with its status. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<never> {
  // Node would print the error with its message, and the message may hold a value.
  process.on('uncaughtException', (error) => {
    tell(`${formatFailure(asFailure(error, 'pannier'))}\n`);
    process.exit(1);
  });
  emptyCoreDumps();
  listenEarly();
  return await endProcess(await statusOf(argv));
}

/** What programs import that run the agent in their own process; see library.ts. */
export const library = () => import('../index.ts');

async function statusOf(argv: readonly string[]): Promise<number> {
  try {
    const choice = quickChoice(argv) ?? (await (await import('./program.ts')).fullChoice(argv));
    return choice === undefined ? 2 : await runChoice(choice);
  } catch (error) {
    if (isOfCommander(error)) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof ProblemsError || error instanceof PannierError) {
      printProblems(error);
      return exitStatus(error instanceof PannierError ? [error.failure] : error.failures);
    }
    tell(`${formatFailure(asFailure(error, 'pannier'))}\n`);
    return 1;
  }
}

/** By its code and not its class: commander is loaded only for the command lines that it has to read. */
function isOfCommander(error: unknown): error is { readonly exitCode: number } {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && code.startsWith('commander.');
}
