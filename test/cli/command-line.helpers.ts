import { CommanderError } from 'commander';
import { createProgram } from '../../src/cli/program.ts';

/**
 * The name of the command that these arguments choose, as the real command line reads them; nothing runs. Rejects when
 * the command line would be refused. For `--help` and `--version` it is that word itself.
 */
export async function parseCommandLine(args: readonly string[]): Promise<string> {
  let chosen = false;
  const program = createProgram(() => {
    chosen = true;
  });
  program.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const command of program.commands) command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  await program.parseAsync([...args], { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
    chosen = true; // --help, --version
  });
  if (!chosen) throw new Error(`pannier ${args.join(' ')} chooses no command`);
  return args[0] ?? '';
}
