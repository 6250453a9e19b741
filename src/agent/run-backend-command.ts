import type { BackendCommand } from '../backend/context.ts';
import { formatDuration } from '../base/duration.ts';
import { runCommand } from '../process/command.ts';
import { commandEnvironment } from '../process/command-environment.ts';
import type { AgentContext } from './context.ts';

/** Runs a program of a backend; resolves to what went wrong, or to undefined when its exit status is 0. */
export async function runBackendCommand(
  { argv, added, timeoutMs }: BackendCommand,
  { env, clock }: Pick<AgentContext, 'env' | 'clock'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const end = await runCommand({ argv, env: commandEnvironment(env, added), timeoutMs }, signal, clock);
  const [program = ''] = argv;
  switch (end.kind) {
    case 'ended':
      return end.status === 0 ? undefined : `${program} ended with status ${end.status}`;
    case 'killed':
      return `${program} was ended by ${end.signal}`;
    case 'timeout':
      return `${program} did not end within ${formatDuration(timeoutMs)}`;
    case 'not-started':
      return `${program} cannot be started (${end.errno})`;
    case 'aborted':
      return 'the agent stops';
  }
}
