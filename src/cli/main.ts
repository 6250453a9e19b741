import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../base/duration.ts';
import { asFailure, exitStatus, formatFailure, PannierError, ProblemsError } from '../base/errors.ts';
import { version } from '../base/version.ts';
import { endProcess, listenEarly } from './end-process.ts';
import type { AgentOptions } from './find-agent.ts';
import type { Probe } from './probe.ts';
import type { RenderCommandOptions } from './render.ts';
import { printProblems } from './setup.ts';

type Run = () => Promise<number>;
type ProbeOptions = AgentOptions & { readonly timeout?: number };

const INIT_TIMEOUT_MS = 60_000;

/** Reads the command line, runs the command it names, and ends the process with its status. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<never> {
  // Node would print the error with its message, and the message may hold a value.
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${formatFailure(asFailure(error, 'pannier'))}\n`);
    process.exit(1);
  });
  listenEarly();
  return await endProcess(await statusOf(argv));
}

/** What programs import that run the agent in their own process; see library.ts. */
export const library = () => import('../index.ts');

async function statusOf(argv: readonly string[]): Promise<number> {
  try {
    let run: Run | undefined;
    await createProgram((chosen) => {
      run = chosen;
    }).parseAsync([...argv], { from: 'user' });
    return run === undefined ? 2 : await run();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof ProblemsError || error instanceof PannierError) {
      printProblems(error);
      return exitStatus(error instanceof PannierError ? [error.failure] : error.failures);
    }
    process.stderr.write(`${formatFailure(asFailure(error, 'pannier'))}\n`);
    return 1;
  }
}

/** The commands as commander sees them; each loads its own code when it is chosen. */
export function createProgram(choose: (run: Run) => void): Command {
  const program = new Command('pannier')
    .description('Fetches secrets, keeps them fresh, publishes them atomically and makes the application reload.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(pannier --help tells more)');
  const withConfig = (command: Command) =>
    command.addOption(
      new Option('-c, --config <path>', 'file or directory, repeatable')
        .argParser(collect)
        .default([], 'PANNIER_CONFIG'),
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
      choose(async () => (await import('./init.ts')).initCommand({ config, timeoutMs: timeout })),
    );
  withConfig(program.command('run'))
    .description('stay and keep everything fresh')
    .action((options: { config: string[] }) => choose(async () => (await import('./run.ts')).runPannier(options)));
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
      choose(async () => (await import('./exec.ts')).execCommand(options));
    });
  withConfig(program.command('render'))
    .description('show what init would publish, and publish nothing')
    .addOption(new Option('--output <name>', 'this output only, repeatable').argParser(collect).default([], 'all'))
    .option('--reveal', 'show values instead of marks', false)
    .option('--diff', 'show what would change in the published files', false)
    .option('--out <directory>', 'write the files below this directory')
    .option('--timeout <duration>', 'give up after this long (default: 60s)', duration)
    .action(
      ({ timeout = INIT_TIMEOUT_MS, ...options }: Omit<RenderCommandOptions, 'timeoutMs'> & { timeout?: number }) =>
        choose(async () => (await import('./render.ts')).renderCommand({ ...options, timeoutMs: timeout })),
    );
  withConfig(program.command('validate'))
    .description('check configuration and templates')
    .action((options: { config: string[] }) =>
      choose(async () => (await import('./validate.ts')).validateCommand(options)),
    );
  withAgent(program.command('get'))
    .description('print a secret, or one field of it, of a running agent')
    .argument('<name>', 'NAME or NAME.FIELD')
    .option('--json', 'with name and version; a field as JSON', false)
    .action((name: string, options: { config: string[]; socket?: string; json: boolean }) =>
      choose(async () => (await import('./get.ts')).getCommand(name, options)),
    );
  withAgent(program.command('status'))
    .description('show how a running agent is')
    .option('--json', 'the document of GET /v1/status', false)
    .option('--watch', 'again each second, until interrupted', false)
    .action((options: { config: string[]; socket?: string; json: boolean; watch: boolean }) =>
      choose(async () => (await import('./status.ts')).statusCommand(options)),
    );
  withAgent(program.command('probe'))
    .description('ask a running agent for its health: 0 when well, else 1 and why')
    .addArgument(new Argument('<check>', 'what is asked').choices(['startup', 'ready', 'live']))
    .option('--timeout <duration>', 'no answer counts as not well after this long (default: 5s)', duration)
    .action((check: Probe, { timeout, ...options }: ProbeOptions) =>
      choose(async () => {
        const { findHealth } = await import('./find-agent.ts');
        const { PROBE_TIMEOUT_MS, probeAt } = await import('./probe.ts');
        return await probeAt(await findHealth(options), check, timeout ?? PROBE_TIMEOUT_MS);
      }),
    );
  program
    .command('schema')
    .description('print the JSON Schema of the configuration')
    .action(() => choose(async () => (await import('./schema.ts')).schemaCommand()));
  program
    .command('demo')
    .description('show the main job on made-up secrets, step by step')
    .option('--openbao', 'on a real OpenBao server instead of a file (needs bao on the PATH)')
    .action((options: { openbao?: boolean }) => choose(async () => (await import('./demo.ts')).demoCommand(options)));
  return program;
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('A duration such as 30s or 1m30s.');
  return ms;
}
