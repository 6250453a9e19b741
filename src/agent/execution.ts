import type { Emit } from '../base/fact.ts';
import type { Secret } from '../base/secret.ts';
import type { Config, ExecConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { EXEC_ENVIRONMENT } from '../config/place.ts';
import { createEnvSink, type EnvSink } from '../deliver/env/env-sink.ts';
import { commandEnvironment } from '../process/command-environment.ts';
import { type ExecResult, type Launch, SupervisedChild } from '../process/supervised-child.ts';
import type { Reload } from '../reload/reload.ts';
import { createChildRestart } from '../reload/restart.ts';
import { createChildSignal } from '../reload/signal.ts';
import type { AgentContext } from './context.ts';
import { withoutTokens } from './without-tokens.ts';

export interface ExecutionOptions {
  readonly context: AgentContext;
  /** The command of the command line; empty: the configuration's command. */
  readonly argv: readonly string[];
  /** See `ChildOptions.ownGroup`. */
  readonly ownGroup: boolean;
}

/** The outputs whose generations the child reads. */
export interface ChildOutputs {
  /** The published generation of each output that has one, by directory. */
  generations(): ReadonlyMap<string, number>;
  /** Resolves when no output but `except` is about to publish what changed, or after a second. */
  untilSettled(except?: string): Promise<void>;
}

const ON_CHANGE = 'exec.onChange';

/** What `exec` has beyond `run`: the child, and its environment as one more output that outlives configurations. */
export class Execution {
  readonly child: SupervisedChild;
  readonly #options: ExecutionOptions;
  readonly #sink: EnvSink = createEnvSink(EXEC_ENVIRONMENT);
  readonly #ended = Promise.withResolvers<ExecResult>();
  #config: Config | undefined;
  #outputs: ChildOutputs | undefined;
  #isCancelled = false;
  #emit: Emit;

  constructor(options: ExecutionOptions) {
    this.#options = options;
    const { clock, random, emit } = options.context;
    this.#emit = emit;
    this.child = new SupervisedChild({
      launch: () => this.#launch(),
      graceMs: () => this.#configured().exec.graceMs,
      clock,
      random,
      emit: (fact) => this.#emit(fact),
      untilSettled: async (except) => this.#outputs?.untilSettled(except),
    });
  }

  /** The outputs that the child reads, from now on. */
  readsFrom(outputs: ChildOutputs): void {
    this.#outputs = outputs;
  }

  /** From now on facts of the child go to `emit`. */
  emitTo(emit: Emit): void {
    this.#emit = emit;
  }

  /** Resolves when the child has ended and is not started again. */
  get ended(): Promise<ExecResult> {
    return this.#ended.promise;
  }

  /** Takes a configuration; its command and variables take effect at the child's next start. */
  configure(config: Config): void {
    this.#config = config;
  }

  /** Sink and reload of the output that the child's environment is. @throws TypeError before `configure`. */
  loopOptions(): { readonly sink: EnvSink; readonly reloads: readonly Reload[]; readonly keepsFirst: boolean } {
    const config = this.#configured();
    // The environment of a process cannot be changed from outside: only another child has the next variables.
    const keepsFirst = config.exec.onChange.kind !== 'restart';
    return { sink: this.#sink, reloads: reloadsOf(config, this.child), keepsFirst };
  }

  /** Starts the child: everything is published. Does nothing the second time, and after `cancel`. */
  start(): void {
    if (!this.#isCancelled) this.#ended.resolve(this.child.start());
  }

  /** Keeps a child that has not started from starting. */
  cancel(): void {
    this.#isCancelled = true;
  }

  #configured(): Config {
    if (this.#config === undefined) throw new TypeError('configure() comes first');
    return this.#config;
  }

  #launch(): Launch {
    const config = this.#configured();
    const { exec } = config;
    const { argv, ownGroup, context } = this.#options;
    const variables = exec.env === undefined ? undefined : this.#sink.current();
    return {
      argv: argv.length > 0 ? argv : (exec.command ?? []),
      env: environmentOf(exec, context.env, withoutTokens(context, config), variables?.byName ?? new Map()),
      stdio: 'inherit',
      ownGroup,
      generations: new Map([...(this.#outputs?.generations() ?? []), [EXEC_ENVIRONMENT, variables?.generation ?? 0]]),
      stopSignal: exec.stopSignal,
      graceMs: exec.graceMs,
      onExit: exec.onExit,
    };
  }
}

function reloadsOf({ exec: { onChange } }: Config, child: SupervisedChild): readonly Reload[] {
  switch (onChange.kind) {
    case 'restart':
      return [{ ...createChildRestart(ON_CHANGE, EXEC_ENVIRONMENT, child), id: 'restart' }];
    case 'signal':
      return [{ ...createChildSignal(onChange.name, ON_CHANGE, EXEC_ENVIRONMENT, child), id: onChange.name }];
    case 'none':
      return [];
  }
}

/**
 * The child's environment. Later ones win: the agent's variables without its logins, or nothing with `pristine`; the
 * variables that `inherit` names, logins as well; the variables that are made of secrets.
 */
function environmentOf(
  { pristine, inherit }: ExecConfig,
  all: Environment,
  inheritable: Environment,
  variables: ReadonlyMap<string, Secret>,
): Launch['env'] {
  const named = inherit.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]] as const]));
  const made = [...variables].map(([name, value]) => [name, value.exposeText('env')] as const);
  return commandEnvironment(pristine ? {} : inheritable, Object.fromEntries([...named, ...made]));
}
