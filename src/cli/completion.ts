import { BACKEND_KINDS } from '../backend/registry.ts';
import { loadWords } from '../config/words/all-words.ts';
import type { Shell } from './choice.ts';
import { isPath, type ListedCommand, listCommands } from './command-list.ts';
import { print } from './print.ts';

/** `pannier completion SHELL`: a script for the shell to read. Returns the exit status. */
export async function completionCommand(shell: Shell): Promise<number> {
  await print(await completionScript(shell));
  return 0;
}

/** The script, made of the command line itself; it starts no process when it completes. */
export async function completionScript(shell: Shell): Promise<string> {
  const supported = Object.entries(await loadWords(BACKEND_KINDS)).filter(([, { type }]) => type !== undefined);
  const keys = supported.map(([key]) => key);
  const commands = listCommands().map((command) =>
    // `explain` takes the key of a configuration, of which there are many but all are known.
    command.name === 'explain'
      ? { ...command, arguments: command.arguments.map((one) => ({ ...one, choices: keys })) }
      : command,
  );
  return { bash, zsh, fish }[shell](commands);
}

const HEAD = (shell: Shell, how: string) => `# ${shell} completion for pannier. Load it with: ${how}\n`;

const choicesOf = ({ arguments: [first] }: ListedCommand): readonly string[] => first?.choices ?? [];

const takesFiles = ({ arguments: [first] }: ListedCommand): boolean => first !== undefined && isPath(first.name);

/** Options of all commands that take a value of one sort, as a pattern of `case`. */
function valued(commands: readonly ListedCommand[], areFiles: boolean): string {
  const all = commands.flatMap(({ options }) => options).filter(({ value }) => value !== undefined);
  const flags = all.filter(({ value = '' }) => isPath(value) === areFiles).flatMap((option) => option.flags);
  return [...new Set(flags)].join(' | ');
}

function bash(commands: readonly ListedCommand[]): string {
  const cases = commands.map((command) => {
    const options = command.options.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith('--')));
    const files = takesFiles(command) ? ' files=1' : '';
    return `    ${command.name}) options='${options.join(' ')}' words='${choicesOf(command).join(' ')}'${files} ;;`;
  });
  return `${HEAD('bash', 'source <(pannier completion bash)')}
_pannier() {
  local IFS=$' \\t\\n' current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command='' at
  local options='' words='' files=''
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in
      --) compopt -o default 2>/dev/null; return ;;
      ${valued(commands, true)} | ${valued(commands, false)}) at=$((at + 1)) ;;
      -*) ;;
      *) [[ -n $command ]] || command=\${COMP_WORDS[at]} ;;
    esac
  done
  case $before in
    ${valued(commands, true)}) files=only ;;
    ${valued(commands, false)}) return ;;
  esac
  case $command in
    '') options='--help --version' words='${commands.map(({ name }) => name).join(' ')} help' ;;
${cases.join('\n')}
    help) words='${commands.map(({ name }) => name).join(' ')}' ;;
  esac
  [[ $current == -* ]] && words=$options
  # A name of the configuration stands for NAME.
  if [[ $command == explain && $current =~ ^(backends|secrets|outputs)\\.([A-Za-z0-9_-]+)\\. ]]; then
    words=\${words//"\${BASH_REMATCH[1]}.NAME."/"\${BASH_REMATCH[0]}"}
  fi
  while IFS= read -r words; do
    [[ -n $words ]] && COMPREPLY+=("$words")
  done < <(
    if [[ $files == only || ( -n $files && $current != -* ) ]]; then compgen -f -- "$current"
    else compgen -W "$words" -- "$current"; fi
  )
  [[ -n $files ]] && compopt -o filenames 2>/dev/null
  return 0
}
complete -F _pannier pannier
`;
}

/** Text in single quotes of the shells. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zsh(commands: readonly ListedCommand[]): string {
  const plain = (text: string) => text.replace(/[[\]:\\]/g, '\\$&');
  const list = commands.map(({ name, description }) => `    ${quoted(`${name}:${plain(description)}`)}`);
  const cases = commands.map((command) => {
    const options = command.options.map(({ flags, value, description }) => {
      const names = flags.length > 1 ? `{${flags.join(',')}}` : (flags[0] ?? '');
      const action = value === undefined ? '' : `:${value}:${isPath(value) ? '_files' : ''}`;
      return `          '*'${names}${quoted(`[${plain(description)}]${action}`)}`;
    });
    const taken = command.arguments.map(({ name, choices, isRepeatable }) => {
      const action = choices === undefined ? (isPath(name) ? '_files' : ' ') : `(${choices.map(plain).join(' ')})`;
      return `          ${quoted(`${isRepeatable ? '*' : '1'}:${name}:${command.name === 'exec' ? '_normal' : action}`)}`;
    });
    return `        ${command.name})\n          _arguments -s \\\n${[...options, ...taken].join(' \\\n')}\n          ;;`;
  });
  return `#compdef pannier
${HEAD('zsh', 'source <(pannier completion zsh), behind compinit')}
_pannier() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
${list.join('\n')}
  )
  _arguments -C '--help[display help]' '--version[print the version]' '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}

if [ "$funcstack[1]" = _pannier ]; then
  _pannier "$@"
else
  compdef _pannier pannier
fi
`;
}

function fish(commands: readonly ListedCommand[]): string {
  const lines = commands.flatMap((command) => {
    const seen = `-n '__fish_seen_subcommand_from ${command.name}'`;
    const options = command.options.map(({ flags, value, description }) => {
      const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      const takes = value === undefined ? '' : isPath(value) ? ' -r -F' : ' -x';
      return `complete -c pannier ${seen} ${names.join(' ')}${takes} -d ${quoted(description)}`;
    });
    const choices = choicesOf(command);
    return [
      `complete -c pannier -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.description)}`,
      ...options,
      ...(choices.length === 0 ? [] : [`complete -c pannier ${seen} -a ${quoted(choices.join(' '))}`]),
      ...(takesFiles(command) ? [`complete -c pannier ${seen} -F`] : []),
    ];
  });
  return `${HEAD('fish', 'pannier completion fish | source')}complete -c pannier -f\n${lines.join('\n')}\n`;
}
