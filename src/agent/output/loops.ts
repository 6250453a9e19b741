import type { Clock } from '../../base/clock.ts';
import type { Failure } from '../../base/errors.ts';
import type { Supervisor } from '../../base/supervisor.ts';
import type { OutputConfig } from '../../config/config.ts';
import type { Environment } from '../../config/environment.ts';
import { EXEC_ENVIRONMENT } from '../../config/place.ts';
import type { Wish } from '../../deliver/api/api-agent.ts';
import { createFileSink } from '../../deliver/file/file-sink.ts';
import type { Owners, Ownership } from '../../deliver/file/owners.ts';
import type { OutputState, PublishedGeneration } from '../../deliver/output-state.ts';
import type { Sink } from '../../deliver/sink.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Check } from '../../reload/check.ts';
import type { Reload } from '../../reload/reload.ts';
import type { ComputedByName } from '../../render/render.ts';
import type { AgentContext } from '../context.ts';
import type { Execution } from '../execution.ts';
import type { Plan, PlannedOutput } from '../plan.ts';
import { withoutTokens } from '../without-tokens.ts';
import { OutputLoop, type OutputLoopOptions } from './loop.ts';
import { podShare } from './pod-share.ts';
import type { OutputNeeds } from './wants.ts';

export type CreateSink = (output: OutputConfig, clock: Clock, owners: Ownership | undefined) => Sink;

export interface OutputLoopsDeps {
  readonly context: AgentContext;
  readonly manager: LeaseManager;
  /** Runs the loops, and ends them. */
  readonly supervisor: Supervisor;
  /** Where outputs go; absent: `createFileSink`, into their directories. */
  readonly createSink?: CreateSink;
  /** Of `exec`; its environment is one more output. */
  readonly execution?: Execution | undefined;
  /** The directories that outputs publish in; undefined: this agent ends soon, and owns none. */
  readonly owners: () => Owners | undefined;
  /** Whether what is published is looked at again. */
  readonly looksAgain?: boolean;
  /** Reloads wait for the turn of this replica, as their outputs are configured. Absent: they do not wait. */
  readonly spreadsReloads?: boolean;
  readonly onState: (output: string) => void;
  /** The result of `needs` has changed. */
  readonly onNeeds: () => void;
}

interface RunningLoop {
  readonly loop: OutputLoop;
  /** Resolves when the loop has ended; the next loop of the output begins then. */
  readonly ended: Promise<void>;
}

/** The longest that the restart of a child waits for other outputs. */
const SETTLING_MS = 1_000;

/** What is another one for each loop. */
type OwnOptions = Pick<
  OutputLoopOptions,
  'output' | 'config' | 'renderer' | 'sink' | 'check' | 'reloads' | 'keepsFirst'
>;

/**
 * A loop per output of the present plan. An output's identity is its directory (there is one environment): a new plan's
 * loop for the same directory begins when the old one has ended what it was doing, so there is never more than one
 * writer.
 */
export class OutputLoops {
  readonly #deps: OutputLoopsDeps;
  /** By directory; by `ENVIRONMENT` for the environment. */
  #byIdentity: ReadonlyMap<string, RunningLoop> = new Map();
  /** By name of the output. */
  #byOutput: ReadonlyMap<string, OutputLoop> = new Map();
  #states: Map<string, OutputState> = new Map();
  /** By secret: the loops of the outputs that need it. */
  #bySecret: ReadonlyMap<string, readonly OutputLoop[]> = new Map();
  readonly #onStates = new Set<() => void>();
  /** Makes reloads; undefined until an output has any. */
  #reloads: typeof import('../../reload/create-reload.ts') | undefined;
  /** Runs reloads, those of the environment too. */
  #rounds: typeof import('./reload-round.ts') | undefined;
  #looks: typeof import('./looks.ts') | undefined;

  constructor(deps: OutputLoopsDeps) {
    this.#deps = deps;
    deps.execution?.readsFrom(this);
  }

  /** Loads what the outputs of a plan need beside their files. To be awaited before the plan is given to `replace`. */
  async prepare({ outputs, env }: Plan): Promise<void> {
    const hasSteps = outputs.some(({ output }) => output.reload.length > 0 || output.verify !== undefined);
    if (hasSteps) this.#reloads ??= await import('../../reload/create-reload.ts');
    if (hasSteps || env !== undefined) this.#rounds ??= await import('./reload-round.ts');
    if (this.#deps.looksAgain === true) this.#looks ??= await import('./looks.ts');
  }

  /** Retires the loops of the last plan and starts the loops of this one. The files of an output that is gone stay. */
  replace({ config, outputs, env }: Plan): void {
    const { execution, owners } = this.#deps;
    execution?.configure(config);
    let inherited: Environment | undefined; // the same for all reloads, and most outputs have none
    const inheritable = () => {
      inherited ??= withoutTokens(this.#deps.context, config);
      return inherited;
    };
    const loops = outputs.map((planned): [string, OwnOptions] => [
      planned.output.dir,
      { ...this.#optionsOf(planned, inheritable), config },
    ]);
    if (execution !== undefined && env !== undefined) {
      loops.push([EXEC_ENVIRONMENT, { ...env, ...execution.loopOptions(), config }]);
    }

    const before = this.#byIdentity;
    const byIdentity = new Map<string, RunningLoop>();
    const byOutput = new Map<string, OutputLoop>();
    for (const { loop } of before.values()) loop.retire();
    for (const [identity, options] of loops) {
      const { name } = options.output;
      const previous = before.get(identity);
      const loop = this.#create(options, previous?.loop);
      const ended = this.#start(name, loop, previous?.ended);
      byIdentity.set(identity, { loop, ended });
      byOutput.set(name, loop);
    }
    for (const [dir, { ended }] of before)
      if (!byIdentity.has(dir)) void ended.then(() => (this.#byIdentity.has(dir) ? undefined : owners()?.release(dir)));
    this.#byIdentity = byIdentity;
    this.#byOutput = byOutput;
    this.#states = new Map([...byOutput].map(([name, loop]) => [name, loop.state]));
    this.#indexSecrets();
  }

  /** What each output needs now. */
  needs(): readonly OutputNeeds[] {
    return [...this.#byOutput.values()].map((loop) => loop.needs);
  }

  /** The secrets whose paths the templates of an output computed, by the name of the output. */
  computed(): ReadonlyMap<string, ComputedByName> {
    return new Map([...this.#byOutput].map(([name, loop]) => [name, loop.needs.computed]));
  }

  /** Wakes the loops of the outputs that need one of these secrets, each once. @param changed see `OutputLoop.wake`. */
  wake(names: ReadonlySet<string>, changed: boolean): void {
    const woken = new Set<OutputLoop>();
    for (const name of names) for (const loop of this.#bySecret.get(name) ?? []) woken.add(loop);
    for (const loop of woken) loop.wake(changed);
  }

  /**
   * Runs an output's reload once more. False: there is no such output, or its published generation is not known good.
   */
  reload(name: string): boolean {
    return this.#byOutput.get(name)?.reloadAgain() ?? false;
  }

  /** See `OutputLoop.ask`. Undefined: there is no such output. */
  ask(name: string, wish: Wish): Promise<Failure | undefined> | undefined {
    return this.#byOutput.get(name)?.ask(wish);
  }

  /** The generations that an output can be rolled back to, where it keeps more than one. */
  kept(name: string): readonly number[] {
    return this.#byOutput.get(name)?.kept ?? [];
  }

  /** What an output has published, in whatever state it is; undefined: nothing, or not known yet. */
  published(name: string): PublishedGeneration | undefined {
    return this.#byOutput.get(name)?.used.present;
  }

  /** Whether some application may use this version of a want's value. */
  uses(wantId: string, version: string): boolean {
    return [...this.#byOutput.values()].some((loop) => loop.uses(wantId, version));
  }

  /** Whether an output has a change of a secret still to publish. */
  areBehind(): boolean {
    return [...this.#byOutput.values()].some((loop) => loop.isBehind);
  }

  /** The published generation of each output that has one, by directory. */
  generations(): ReadonlyMap<string, number> {
    const generations = new Map<string, number>();
    for (const [identity, { loop }] of this.#byIdentity) {
      if ('generation' in loop.state) generations.set(identity, loop.state.generation);
    }
    return generations;
  }

  /**
   * Resolves when no other output is about to replace its generation, or after a second: another may be slow, or hang.
   * @param except the directory of the output that waits: its own next generation cannot come before this one is done.
   */
  async untilSettled(except?: string): Promise<void> {
    const giveUp = new AbortController();
    const onState = () => {
      const others = [...this.#byIdentity].filter(([identity]) => identity !== except);
      if (!others.some(([, { loop }]) => loop.isReplacing)) giveUp.abort();
    };
    this.#onStates.add(onState);
    onState();
    await this.#deps.context.clock.sleep(SETTLING_MS, giveUp.signal);
    this.#onStates.delete(onState);
  }

  /** Where each output stands, by name. The map is no copy: it changes with the states. */
  states(): ReadonlyMap<string, OutputState> {
    return this.#states;
  }

  /** When the loop of each output has come round at the latest, on the monotonic clock: past that, the loop hangs. */
  due(): ReadonlyMap<string, number> {
    return new Map([...this.#byOutput].map(([name, loop]) => [name, loop.dueMonoMs]));
  }

  #optionsOf({ output, renderer, requests }: PlannedOutput, inheritable: () => Environment): OwnOptions {
    const { context, manager, owners, createSink = createFileSink, execution } = this.#deps;
    const { clock, emit } = context;
    const { check, verify } = output;
    const renderOf = (place: string) => {
      const request = requests.get(place);
      return request && (() => request.render(manager.snapshot(request.wants)));
    };
    const reloads: Reload[] = [];
    if (output.reload.length > 0 || verify !== undefined) {
      if (this.#reloads === undefined) throw new TypeError(`${output.name}: its reloads were not prepared`);
      const { createReload, createVerification } = this.#reloads;
      for (const step of output.reload) {
        reloads.push(createReload(step, output, inheritable(), renderOf(step.place), execution?.child, emit));
      }
      if (verify !== undefined) {
        reloads.push(createVerification(verify, output, inheritable(), renderOf(verify.ask.place), emit, clock));
      }
    }
    const checks: { check?: Check } = {};
    if (check !== undefined) {
      const env = inheritable();
      checks.check = {
        place: check.place,
        timeoutMs: check.timeoutMs,
        run: async (candidate, signal) => {
          const { createCheck } = await import('../../reload/check.ts');
          return await createCheck(check, output, env, emit).run(candidate, signal);
        },
      };
    }
    return { output, renderer, sink: createSink(output, clock, owners()), ...checks, reloads };
  }

  #create(own: OwnOptions, before: OutputLoop | undefined): OutputLoop {
    const { context, manager } = this.#deps;
    const { name } = own.output;
    const onState = (state: OutputState) => {
      if (this.#byOutput.get(name) !== loop) return; // another loop has taken the output over
      this.#states.set(name, state);
      this.#deps.onState(name);
      for (const listener of this.#onStates) listener();
    };
    const onNeeds = () => {
      this.#indexSecrets();
      this.#deps.onNeeds();
    };
    const { clock, random, emit, tracing } = context;
    const { spreadsReloads = false } = this.#deps;
    const reloadShare = spreadsReloads ? (podShare(context.env, name) ?? random()) : undefined;
    const { createRound } = this.#rounds ?? {};
    const { createLooks } = this.#looks ?? {};
    const options = { ...own, before, createRound, createLooks, manager, clock, random, emit, tracing, reloadShare };
    const loop = new OutputLoop({ ...options, onState, onNeeds });
    return loop;
  }

  #indexSecrets(): void {
    const bySecret = new Map<string, OutputLoop[]>();
    for (const loop of this.#byOutput.values()) {
      const { names, computed } = loop.needs;
      for (const name of [...names, ...computed.keys()]) {
        const loops = bySecret.get(name);
        if (loops === undefined) bySecret.set(name, [loop]);
        else loops.push(loop);
      }
    }
    this.#bySecret = bySecret;
  }

  #start(name: string, loop: OutputLoop, previous: Promise<void> | undefined): Promise<void> {
    const { supervisor, context } = this.#deps;
    const { promise, resolve } = Promise.withResolvers<void>();
    supervisor.keep(`output ${name}`, context.clock, async (signal) => {
      await previous;
      await loop.run(signal);
      resolve();
    });
    return promise;
  }
}
