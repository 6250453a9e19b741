import type { Code } from '../base/codes.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { CommandReloadConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { type Command, type CommandOutcome, describeOutcome, runCommand } from '../process/command.ts';
import { commandEnvironment } from '../process/command-environment.ts';
import type { ReloadAction, ReloadedOutput } from './reload.ts';

/**
 * Runs a command, whose exit status 0 means that the application took the generation up. The command gets the agent's
 * variables without the credentials of its logins, and PANNIER_OUTPUT (the output's name), PANNIER_DIR (its directory)
 * and PANNIER_GENERATION (the number). What it prints is dropped; with `captureOutput` the last lines of its standard
 * error are emitted when it fails.
 *
 * Failures: RELOAD_COMMAND_MISSING, RELOAD_COMMAND_FAILED, RELOAD_COMMAND_TIMEOUT, CANCELLED. They name the program,
 * never its arguments.
 */
export function createCommandReload(
  config: CommandReloadConfig,
  output: ReloadedOutput,
  env: Environment,
  emit: Emit,
): ReloadAction {
  return {
    kind: 'command',
    place: config.place,
    timeoutMs: config.timeoutMs,
    async run(generation, signal) {
      const added = {
        PANNIER_OUTPUT: output.name,
        PANNIER_DIR: output.dir,
        PANNIER_GENERATION: String(generation),
      };
      const { argv, timeoutMs, place, captureOutput: keepsStderr } = config;
      const command = { argv, timeoutMs, env: commandEnvironment(env, added), keepsStderr };
      const outcome = await runCommand(command, signal);
      const why = failureOf(outcome, command, place);
      if (why !== undefined && outcome.lines !== undefined && outcome.lines.length > 0) {
        emit({ kind: 'reload-output', output: output.name, generation, place, lines: outcome.lines });
      }
      return why;
    },
  };
}

const CODE_OF = {
  ended: 'RELOAD_COMMAND_FAILED',
  killed: 'RELOAD_COMMAND_FAILED',
  timeout: 'RELOAD_COMMAND_TIMEOUT',
  'not-started': 'RELOAD_COMMAND_MISSING',
  aborted: 'CANCELLED',
} as const satisfies Readonly<Record<CommandOutcome['kind'], Code>>;

/** Undefined when the command succeeded. */
function failureOf(outcome: CommandOutcome, command: Command, place: string): Failure | undefined {
  if (outcome.kind === 'ended' && outcome.status === 0) return undefined;
  return failure(CODE_OF[outcome.kind], place, describeOutcome(outcome, command));
}
