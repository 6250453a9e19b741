import type { AgentContext } from '../agent/context.ts';
import { init } from '../agent/init.ts';
import { exitStatus, formatFailure } from '../base/errors.ts';
import type { Fact } from '../base/fact.ts';
import { tell } from './print.ts';
import { progressOnTerminal } from './progress.ts';
import { type CommonOptions, setUp } from './setup.ts';
import { exitStatusOf, listenForStop } from './stop-signals.ts';

export interface InitCommandOptions extends CommonOptions {
  readonly timeoutMs: number;
}

/** `pannier init`: fetch once, publish, exit. Returns the exit status. */
export async function initCommand(options: InitCommandOptions): Promise<number> {
  using progress = await progressOnTerminal();
  await using setup = await setUp('init', options, progress);
  const { plan, context } = setup;
  using stop = listenForStop();
  const results = new Results(context);
  const told = { ...context, emit: (fact: Fact) => results.take(fact) };
  const failures = await init(plan, told, { timeoutMs: options.timeoutMs, signal: stop.signal });
  progress?.end();
  const received = stop.received();
  if (received !== undefined) return exitStatusOf(received);
  if (failures.length === 0) results.tell(plan.config.outputs);
  for (const failed of failures) tell(`init: ${formatFailure(failed)}\n`);
  return failures.length === 0 ? 0 : exitStatus(failures);
}

/** How many outputs the last line names. */
const MAX_OUTPUTS = 20;

type Result = Extract<Fact, { kind: 'init-done' }>['outputs'][number];

/** What became of each output, for the last line. */
class Results {
  readonly #context: AgentContext;
  readonly #startedMs: number;
  readonly #byOutput = new Map<string, Result>();

  constructor(context: AgentContext) {
    this.#context = context;
    this.#startedMs = context.clock.monoMs();
  }

  /** Passes a fact on, and remembers it when it is about the end of an output. */
  take(fact: Fact): void {
    if (fact.kind === 'output-published') {
      const { output, dir, files } = fact;
      this.#byOutput.set(output, { output, ...(dir === undefined ? {} : { dir }), files });
    } else if (fact.kind === 'output-unchanged' && !this.#byOutput.has(fact.output)) {
      this.#byOutput.set(fact.output, { output: fact.output });
    }
    this.#context.emit(fact);
  }

  tell(configured: ReadonlyMap<string, { readonly dir: string }>): void {
    const all = [...configured.keys()].flatMap((name) => this.#byOutput.get(name) ?? []);
    const published = all.filter(({ files }) => files !== undefined).length;
    const outputs = all.slice(0, MAX_OUTPUTS).map((one) => ({ dir: configured.get(one.output)?.dir ?? '', ...one }));
    const durationMs = this.#context.clock.monoMs() - this.#startedMs;
    this.#context.emit({ kind: 'init-done', published, unchanged: all.length - published, durationMs, outputs });
  }
}
