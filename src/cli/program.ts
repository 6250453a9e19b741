import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { version } from '../base/version.ts';
import { type Choice, DOCTOR_TIMEOUT_MS, INIT_TIMEOUT_MS, type Shell } from './choice.ts';
import type { AgentOptions } from './find-agent.ts';
import type { ImportCommandOptions } from './import.ts';
import type { InjectorCommandOptions } from './injector.ts';
import type { NewCommandOptions } from './new.ts';
import type { NotifyCommandOptions } from './notify.ts';
import type { PolicyCommandOptions } from './policy.ts';
import { tell } from './print.ts';
import type { Probe } from './probe.ts';
import type { RenderCommandOptions } from './render.ts';

type ProbeOptions = AgentOptions & { readonly timeout?: number };

/**
 * Reads any command line, and prints help and what is wrong with it. undefined: nothing is to be run.
 * @throws CommanderError when the command line is refused, and after help or the version was printed.
 */
export async function fullChoice(argv: readonly string[]): Promise<Choice | undefined> {
  let choice: Choice | undefined;
  const program = createProgram((chosen) => {
    choice = chosen;
  });
  await program.parseAsync([...argv], { from: 'user' });
  return choice;
}

/** The commands as commander sees them. */
export function createProgram(choose: (choice: Choice) => void): Command {
  const program = new Command('pannier')
    .description('Fetches secrets, keeps them fresh, publishes them atomically and makes the application reload.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeErr: tell }) // what it quotes of a command line may come from a script's input
    .showHelpAfterError('(pannier --help tells more)');
  const withConfig = (command: Command) =>
    command.addOption(
      new Option('-c, --config <path>', 'file or directory, repeatable')
        .argParser(collect)
        .default([], 'PANNIER_CONFIG, then ./pannier.yaml'),
    );

  const withAgent = (command: Command) =>
    withConfig(command).addOption(
      new Option(
        '--socket <path>',
        "the agent's socket, or HOST:PORT (default: PANNIER_SOCKET, then the configuration's, then /run/pannier/api.sock)",
      ),
    );

  withConfig(program.command('init'))
    .description('fetch once, publish, exit')
    .option('--timeout <duration>', 'give up after this long (default: 60s)', duration)
    .action(({ config, timeout = INIT_TIMEOUT_MS }: { config: string[]; timeout?: number }) =>
      choose({ command: 'init', options: { config, timeoutMs: timeout } }),
    );
  withConfig(program.command('run'))
    .description('stay and keep everything fresh')
    .action((options: { config: string[] }) => choose({ command: 'run', options }));
  withConfig(program.command('exec'))
    .description('run, with an application as the child that gets secrets in its environment')
    .argument('[command...]', 'the application and its arguments, behind -- (default: exec.command)')
    .option(
      '--timeout <duration>',
      'give up when the child cannot be started after this long (default: never)',
      duration,
    )
    .action((command: string[], { config, timeout }: { config: string[]; timeout?: number }) => {
      const options = { config, command, ...(timeout === undefined ? {} : { timeoutMs: timeout }) };
      choose({ command: 'exec', options });
    });
  withConfig(program.command('render'))
    .description('show what init would publish, and publish nothing')
    .addOption(new Option('--output <name>', 'this output only, repeatable').argParser(collect).default([], 'all'))
    .option('--reveal', 'show values instead of marks', false)
    .option('--diff', 'show what would change in the published files', false)
    .addOption(new Option('--exit-code', '--diff, and status 5 when something would change').implies({ diff: true }))
    .option('--json', 'one JSON document on standard output, with what --diff finds')
    .option('--out <directory>', 'write the files below this directory')
    .option('--timeout <duration>', 'give up after this long (default: 60s)', duration)
    .action(
      ({ timeout = INIT_TIMEOUT_MS, ...options }: Omit<RenderCommandOptions, 'timeoutMs'> & { timeout?: number }) =>
        choose({ command: 'render', options: { ...options, timeoutMs: timeout } }),
    );
  withConfig(program.command('validate'))
    .description('check configuration and templates')
    .argument('[files...]', 'files or directories, as behind -c')
    .option('--json', 'one JSON document on standard output, with all problems')
    .action((files: string[], { config, ...options }: { config: string[]; json?: boolean }) =>
      choose({ command: 'validate', options: { config: [...config, ...files], ...options } }),
    );
  withConfig(program.command('doctor'))
    .description('check everything that a start needs, from configuration to reload, and change nothing')
    .option('--json', 'an array of checks on standard output')
    .option('--timeout <duration>', 'end after this long; each check takes 5s at most (default: 30s)', duration)
    .action(({ timeout = DOCTOR_TIMEOUT_MS, ...options }: { config: string[]; json?: boolean; timeout?: number }) =>
      choose({ command: 'doctor', options: { ...options, timeoutMs: timeout } }),
    );
  withConfig(program.command('policy'))
    .description('print the least policy that this configuration needs: for Vault or OpenBao, or for IAM')
    .addOption(new Option('--backend <name>', 'this backend only, repeatable').argParser(collect).default([], 'all'))
    .option('--json', 'one JSON document on standard output')
    .addOption(new Option('--direct', 'ask the servers for the mounts of kv secrets, with a login that is revoked'))
    .addOption(
      new Option('--token-file <path>', 'as --direct, with the token in this file, which is not revoked').implies({
        direct: true,
      }),
    )
    .action((options: PolicyCommandOptions) => choose({ command: 'policy', options }));
  withAgent(program.command('get'))
    .description('print a secret, or one field of it, of a running agent, or fetch it when none runs')
    .argument('<name>', 'NAME or NAME.FIELD')
    .option('--json', 'with name and version; a field as JSON', false)
    .addOption(new Option('--direct', 'ask the backend, with a login that is revoked afterwards').conflicts('socket'))
    .action((name: string, options: { config: string[]; socket?: string; json: boolean; direct?: boolean }) =>
      choose({ command: 'get', name, options }),
    );
  withAgent(program.command('status'))
    .description('show how a running agent is')
    .option('--json', 'the document of GET /v1/status', false)
    .option('--watch', 'again each second, until interrupted', false)
    .action((options: { config: string[]; socket?: string; json: boolean; watch: boolean }) =>
      choose({ command: 'status', options }),
    );
  withAgent(program.command('probe'))
    .description('ask a running agent for its health: 0 when well, else 1 and why')
    .addArgument(new Argument('<check>', 'what is asked').choices(['startup', 'ready', 'live']))
    .option('--timeout <duration>', 'no answer counts as not well after this long (default: 5s)', duration)
    .action((check: Probe, { timeout, ...options }: ProbeOptions) =>
      choose({ command: 'probe', check, options, ...(timeout === undefined ? {} : { timeoutMs: timeout }) }),
    );
  withAgent(program.command('rollback'))
    .description(
      'publish an earlier generation again, and hold the present one back while the files would be the same; waits for the reload, 40 seconds at most',
    )
    .argument('<output>', 'the name of the output')
    .option('--to <generation>', 'which one, of those that status lists (default: the one before)', generation)
    .action((output: string, { to, ...options }: AgentOptions & { to?: number }) =>
      choose({ command: 'rollback', output, options, ...(to === undefined ? {} : { to }) }),
    );
  withAgent(program.command('resume'))
    .description('publish what is held back; waits for the reload, 40 seconds at most')
    .argument('<output>', 'the name of the output')
    .action((output: string, options: AgentOptions) => choose({ command: 'resume', output, options }));
  program
    .command('schema')
    .description('print the JSON Schema of the configuration')
    .action(() => choose({ command: 'schema' }));
  program
    .command('explain')
    .description('tell what a key of the configuration is for')
    .argument('[key]', 'a key such as secrets.NAME.kv (default: the sections)')
    .action((key: string | undefined) => choose({ command: 'explain', ...(key === undefined ? {} : { key }) }));
  program
    .command('new')
    .description('print a configuration to begin with')
    .addOption(new Option('--vault', 'secrets of HashiCorp Vault or OpenBao').conflicts(['aws', 'file']))
    .addOption(new Option('--aws', 'secrets of AWS Secrets Manager').conflicts(['file']))
    .option('--file', 'secrets of a file on this machine, to try things out')
    .addOption(
      new Option('--kubernetes', 'with --vault: log in with the service account (default)').conflicts([
        'approle',
        'token',
      ]),
    )
    .addOption(new Option('--approle', 'with --vault: log in with a role id and a secret id').conflicts('token'))
    .option('--token', 'with --vault: log in with a token in a file')
    .option('--exec', 'give the secrets to a child of pannier exec, in its environment')
    .action((options: NewCommandOptions) => choose({ command: 'new', options }));
  program
    .command('import')
    .description('convert the configuration of Vault Agent, Vault Proxy, consul-template or envconsul')
    .argument('[files...]', 'files in HCL or JSON, or folders of them; - for standard input')
    .option('--annotations <path>', "read the injector's annotations of a manifest instead of files")
    .option('--out <directory>', 'write pannier.yaml and its templates there (default: standard output)')
    .option('--sink', 'write the token of the agent into the files of its sinks')
    .option('--compare', 'render by the other program and by Pannier, and show the difference')
    .option('--with <path>', 'with --compare: the other program (default: bao, vault or consul-template on the PATH)')
    .option('--reveal', 'with --compare: show values instead of marks')
    .option('--timeout <duration>', 'with --compare: give up after this long (default: 60s)', duration)
    .action(
      (
        files: string[],
        {
          timeout = INIT_TIMEOUT_MS,
          ...options
        }: Omit<ImportCommandOptions, 'files' | 'timeoutMs'> & { timeout?: number },
      ) =>
        choose({
          command: 'import',
          options: { files, ...options, timeoutMs: timeout },
        }),
    );
  program
    .command('injector')
    .description('serve the webhook of Kubernetes that puts the agent into pods by their annotations')
    .addOption(new Option('--listen <address>', 'HOST:PORT of the webhook').default('0.0.0.0:8443', '0.0.0.0:8443'))
    .option('--tls-cert-file <path>', 'the certificate of the webhook, read again when it changes')
    .option('--tls-key-file <path>', 'its private key')
    .option(
      '--webhook <name>',
      'without files: the MutatingWebhookConfiguration that is to trust a certificate made here',
    )
    .option('--service <name>', 'without files: NAME.NAMESPACE.svc of the Service')
    .option('--metrics <address>', 'HOST:PORT where metrics are served over HTTP')
    .option(
      '--account-dir <path>',
      "without files: the token and ca.crt of a service account (default: where the kubelet puts the pod's)",
    )
    .option('--image <image>', 'the image of the agent (default: pannier in this version)')
    .option('--address <url>', 'the address of Vault or OpenBao, for pods that name none')
    .option('--auth-mount <name>', 'the mount of their login (default: kubernetes)')
    .option('--audience <text>', 'the audience of their tokens (default: the API server)')
    .option('--ca-config-map <name>', "the ConfigMap in each namespace whose ca.crt is the backend's CA")
    .action((options: InjectorCommandOptions) => choose({ command: 'injector', options }));
  program
    .command('notify')
    .description('tell agents which paths were written, by the audit log of the server on this machine')
    .option('--audit-file <path>', 'the file audit log of the server')
    .option('--address <url>', 'the server that writes it')
    .option('--ca-file <path>', 'the authorities that its certificate may be of')
    .addOption(new Option('--listen <address>', 'HOST:PORT for agents').default('127.0.0.1:8271', '127.0.0.1:8271'))
    .option('--tls-cert-file <path>', 'the certificate that agents are shown, read again when it changes')
    .option('--tls-key-file <path>', 'its private key')
    .addOption(
      new Option('--token-file <path>', 'a token that agents may come with, repeatable').argParser(collect).default([]),
    )
    .option('--client-ca-file <path>', 'the authorities that certificates of agents must be of')
    .action((options: NotifyCommandOptions) => choose({ command: 'notify', options }));
  program
    .command('completion')
    .description('print the script that makes a shell complete command lines of pannier')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action((shell: Shell) => choose({ command: 'completion', shell }));
  program
    .command('man')
    .description('print the manual page, for man -l -')
    .action(() => choose({ command: 'man' }));
  program
    .command('version')
    .description('print the version, that of Node, and the platform')
    .action(() => choose({ command: 'version' }));
  program
    .command('demo')
    .description('show the main job on made-up secrets, step by step')
    .option('--openbao', 'on a real OpenBao server instead of a file (needs bao on the PATH)')
    .action((options: { openbao?: boolean }) => choose({ command: 'demo', options }));
  return program;
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function generation(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('The number of a generation, such as 7.');
  return Number(text);
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('A duration such as 30s or 1m30s.');
  return ms;
}
