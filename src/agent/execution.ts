import type { Emit } from '../base/fact.ts';
import type { Secret } from '../base/secret.ts';
import type { Config, ExecConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { EXEC_ENVIRONMENT } from '../config/place.ts';
import { createEnvSink, type EnvSink } from '../deliver/env/env-sink.ts';
import { commandEnvironment } from '../process/command-environment.ts';
import { type ExecResult, type Launch, SupervisedChild } from '../process/supervised-child.ts';
import type { Reload } from '../reload/reload.ts';
import { createRestart } from '../reload/restart.ts';
import { createChildSignal } from '../reload/signal.ts';
import type { AgentContext } from './context.ts';
import { withoutTokens } from './without-tokens.ts';

export interface ExecutionOptions {
  readonly context: AgentContext;
  /** From the command line; empty: the configuration's. */
  readonly argv: readonly string[];
  /** See ChildOptions. */
  readonly ownGroup: boolean;
}

const ON_CHANGE = 'exec.onChange';

/** What `exec` has beyond `run`: the child, and its environment as one more output that outlives configurations. */
export class Execution {
  readonly child: SupervisedChild;
  readonly #options: ExecutionOptions;
  readonly #sink: EnvSink = createEnvSink(EXEC_ENVIRONMENT);
  readonly #over = Promise.withResolvers<ExecResult>();
  #config: Config | undefined;
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
    });
  }

  /** From now on facts of the child go there. */
  emitTo(emit: Emit): void {
    this.#emit = emit;
  }

  /** Resolves when the child has ended for good. */
  get over(): Promise<ExecResult> {
    return this.#over.promise;
  }

  /** Takes effect at the child's next start. */
  configure(config: Config): void {
    this.#config = config;
  }

  /** Sink and reload of the environment's loop. */
  parts(): { readonly sink: EnvSink; readonly reloads: readonly Reload[] } {
    return { sink: this.#sink, reloads: reloadsOf(this.#configured(), this.child) };
  }

  /** Everything is published: the child may begin. Later calls do nothing, and so does one after `cancel`. */
  start(): void {
    if (!this.#isCancelled) this.#over.resolve(this.child.start());
  }

  /** A child that has not begun never will. */
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
    const ours = { all: context.env, inherited: withoutTokens(context, config) };
    return {
      argv: argv.length > 0 ? argv : (exec.command ?? []),
      env: environmentOf(exec, ours, variables?.byName ?? new Map()),
      stdio: 'inherit',
      ownGroup,
      generation: variables?.generation ?? 0,
      stopSignal: exec.stopSignal,
      graceMs: exec.graceMs,
      onExit: exec.onExit,
    };
  }
}

function reloadsOf({ exec: { onChange, graceMs } }: Config, child: SupervisedChild): readonly Reload[] {
  switch (onChange.kind) {
    case 'restart':
      return [{ ...createRestart(child, ON_CHANGE, graceMs), id: 'restart' }];
    case 'signal':
      return [{ ...createChildSignal(onChange.name, ON_CHANGE, child), id: onChange.name }];
    case 'none':
      return [];
  }
}

/** Ours without logins, or with `pristine` nothing; then what `inherit` names, logins as well; then what we make. */
function environmentOf(
  { pristine, inherit }: ExecConfig,
  ours: { readonly all: Environment; readonly inherited: Environment },
  variables: ReadonlyMap<string, Secret>,
): Environment {
  const named = inherit.flatMap((name) => (ours.all[name] === undefined ? [] : [[name, ours.all[name]] as const]));
  const made = [...variables].map(([name, value]) => [name, value.exposeText('env')] as const);
  return commandEnvironment(pristine ? {} : ours.inherited, Object.fromEntries([...named, ...made]));
}
