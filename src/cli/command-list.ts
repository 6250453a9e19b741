import { createProgram } from './program.ts';

/** A command as completion scripts and the manual page tell of it. */
export interface ListedCommand {
  readonly name: string;
  readonly usage: string;
  readonly description: string;
  readonly options: readonly ListedOption[];
  readonly arguments: readonly ListedArgument[];
}

export interface ListedOption {
  /** `-c` and `--config`, or the long one alone. */
  readonly flags: readonly string[];
  /** The name of its value; absent: it takes none. */
  readonly value?: string;
  readonly description: string;
}

export interface ListedArgument {
  readonly name: string;
  readonly description: string;
  /** Absent: anything may stand there. */
  readonly choices?: readonly string[];
  readonly isRepeatable: boolean;
}

/** All commands, from the command line itself. */
export function listCommands(): readonly ListedCommand[] {
  return createProgram(() => {}).commands.map((command) => ({
    name: command.name(),
    usage: command.usage(),
    description: command.description(),
    options: command
      .createHelp()
      .visibleOptions(command)
      .map((option) => ({
        flags: [option.short, option.long].filter((flag) => typeof flag === 'string'),
        ...(option.required ? { value: /<(.+)>/.exec(option.flags)?.[1] ?? 'value' } : {}),
        description: withDefault(option.description, option.defaultValueDescription),
      })),
    arguments: command.registeredArguments.map((one) => ({
      name: one.name(),
      description: one.description,
      ...(one.argChoices === undefined ? {} : { choices: one.argChoices }),
      isRepeatable: one.variadic,
    })),
  }));
}

/** Whether a shell completes names of files for such a value or argument. */
export const isPath = (name: string): boolean => ['path', 'directory', 'files'].includes(name);

const withDefault = (text: string, standard: string | undefined): string =>
  standard === undefined ? text : `${text} (default: ${standard})`;
