import { version } from '../base/version.ts';
import { type ListedCommand, listCommands } from './command-list.ts';
import { print } from './print.ts';

/** `pannier man`. Returns the exit status. */
export async function manCommand(): Promise<number> {
  await print(manPage(version));
  return 0;
}

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['PANNIER_CONFIG', 'files and directories of the configuration, separated by colons, when there is no -c'],
  ['PANNIER_LOG_LEVEL', 'the lowest level that is logged: trace, debug, info, warn, error or silent'],
  ['PANNIER_SOCKET', 'the address of the running agent, for get, status and probe'],
  ['PANNIER_TOKEN_FILE', "the file with the token of the agent's API, when it listens on a port"],
];

const EXIT: readonly (readonly [string, string])[] = [
  ['0', 'done'],
  ['1', 'a failure at run time'],
  ['2', 'a mistake in the configuration or on the command line'],
  ['3', 'a backend was not reachable in time'],
  ['4', 'a login or a permission was refused'],
];

/** The manual page in the language of roff, made of the command line itself. */
export function manPage(version: string): string {
  const parts = [
    `.TH PANNIER 1 "" ${word(`pannier ${version}`)} "User Commands"`,
    '.SH NAME\npannier \\- fetches secrets, keeps them fresh and publishes them',
    '.SH SYNOPSIS\n.B pannier\n.I command\n[\\fIoptions\\fR]',
    `.SH DESCRIPTION\n${line('Pannier logs in at Vault, OpenBao or AWS with the identity of the workload, fetches secrets, keeps them fresh, publishes them atomically and makes the application reload. pannier explain tells of each key of the configuration.')}`,
    '.SH COMMANDS',
    ...listCommands().map(commandPart),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.map(([name, text]) => item(name, text)),
    `.SH FILES\n${item('pannier.yaml', 'the configuration, when none is named')}\n${item('/run/pannier/api.sock', 'the socket of the agent that get, status and probe ask when none is named')}`,
    `.SH EXIT STATUS\n${line('run ends with 0 when it was stopped, init with 128+n, and exec with the status of its child.')}`,
    ...EXIT.map(([status, text]) => item(status, text)),
  ];
  return `${parts.join('\n')}\n`;
}

function commandPart({ name, usage, description, options, arguments: taken }: ListedCommand): string {
  return [
    `.SS ${word(`pannier ${name} ${usage}`)}`,
    line(`${description.charAt(0).toUpperCase()}${description.slice(1)}.`),
    ...taken.map((one) =>
      item(one.name, one.choices === undefined ? one.description : `${one.description}: ${one.choices.join(', ')}`),
    ),
    ...options
      .filter(({ flags }) => !flags.includes('--help'))
      .map(({ flags, value, description: text }) =>
        item(`${flags.join(', ')}${value === undefined ? '' : ` ${value}`}`, text),
      ),
  ].join('\n');
}

const item = (term: string, text: string): string => `.TP\n.B ${escaped(term)}\n${line(text)}`;

/** A line of text; one that begins with a dot or a quote would be a request. */
const line = (text: string): string => escaped(text).replace(/^(?=[.'])/, '\\&');

const word = (text: string): string => `"${escaped(text).replaceAll('"', '\\(dq')}"`;

const escaped = (text: string): string => text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
