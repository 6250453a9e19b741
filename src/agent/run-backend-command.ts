import type { BackendCommand } from '../backend/context.ts';
import type { Config } from '../config/config.ts';
import { describeOutcome, runCommand } from '../process/command.ts';
import { commandEnvironment } from '../process/command-environment.ts';
import type { AgentContext } from './context.ts';
import { withoutTokens } from './without-tokens.ts';

/**
 * Runs a program of a backend; resolves to what went wrong, or to undefined when its exit status is 0. It gets the
 * agent's variables as a reload command does: without credentials and tokens of this configuration.
 */
export async function runBackendCommand(
  { argv, added, timeoutMs }: BackendCommand,
  context: Pick<AgentContext, 'env' | 'kinds' | 'clock'>,
  config: Pick<Config, 'backends'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const command = { argv, env: commandEnvironment(withoutTokens(context, config), added), timeoutMs };
  const outcome = await runCommand(command, signal, context.clock);
  return outcome.kind === 'ended' && outcome.status === 0 ? undefined : describeOutcome(outcome, command);
}
